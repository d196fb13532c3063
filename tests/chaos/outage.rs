//! A PostgreSQL server that ends under the services.

use std::time::{Duration, Instant};

use legalstat_proto::requests::v1::{
    self as requests, SubmitRequestRequest, request_intake_service_client::RequestIntakeServiceClient,
};
use legalstat_test_support::system::System;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tonic::{Code, Request, transport::Channel};

use crate::submission::submission;

/// How long the server may take to be back, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(60);
/// The deadline of each call.
const DEADLINE: Duration = Duration::from_secs(5);

/// Submits a request until it is taken: a service whose database is away says so, and no call is longer than its deadline.
async fn taken(edms: &mut RequestIntakeServiceClient<Channel>, message: &SubmitRequestRequest) -> requests::Request {
    let began = Instant::now();
    loop {
        let mut request = Request::new(message.clone());
        request.set_timeout(DEADLINE);
        let (asked, answer) = (Instant::now(), edms.submit_request(request).await);
        assert!(asked.elapsed() < 4 * DEADLINE, "{:?}", asked.elapsed());
        match answer {
            Ok(answer) => return answer.into_inner(),
            Err(status) => {
                // The client's own clock may end a call before the service does.
                let passing = [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled];
                assert!(passing.contains(&status.code()), "{status:?}");
            }
        }
        assert!(began.elapsed() < PATIENCE, "it is back in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_is_killed_is_started_again_and_submissions_are_taken_as_before() {
    let system = tokio::task::block_in_place(System::start);
    let mut edms = RequestIntakeServiceClient::new(system.channel("request-intake", Some("edms")));
    for round in 0..2 {
        let before = submission(&format!("before-{round}"));
        let first = taken(&mut edms, &before).await;
        let postmaster = i32::try_from(system.postmaster()).expect("a process");
        kill(Pid::from_raw(postmaster), Signal::SIGKILL).expect("it runs");
        let began = Instant::now();
        taken(&mut edms, &submission(&format!("after-{round}"))).await;
        eprintln!(
            "submissions were taken again {:?} after the server was killed",
            began.elapsed()
        );
        // What was acknowledged before is there.
        assert_eq!(taken(&mut edms, &before).await.name, first.name);
    }
    tokio::task::block_in_place(|| drop(system));
}
