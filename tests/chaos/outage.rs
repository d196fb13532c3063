//! A PostgreSQL server that ends under the services.

use std::time::{Duration, Instant};

use legalstat_proto::requests::v1::request_intake_service_client::RequestIntakeServiceClient;
use legalstat_test_support::system::System;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tonic::{Code, Request};

use crate::submission::submission;

/// How long the server may take to be back, on a busy machine far more than it does.
const PATIENCE: Duration = Duration::from_secs(60);
/// The deadline of each call.
const DEADLINE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_is_killed_is_started_again_and_submissions_are_taken_as_before() {
    let system = tokio::task::block_in_place(System::start);
    let mut edms = RequestIntakeServiceClient::new(system.channel("request-intake", Some("edms")));
    for round in 0..2 {
        let before = submission(&format!("before-{round}"));
        let first = edms
            .submit_request(before.clone())
            .await
            .expect("it is taken")
            .into_inner();
        let postmaster = i32::try_from(system.postmaster()).expect("a process");
        kill(Pid::from_raw(postmaster), Signal::SIGKILL).expect("it runs");
        let began = Instant::now();
        loop {
            let mut again = Request::new(submission(&format!("after-{round}")));
            again.set_timeout(DEADLINE);
            let (asked, answer) = (Instant::now(), edms.submit_request(again).await);
            assert!(asked.elapsed() < 2 * DEADLINE, "{:?}", asked.elapsed());
            match answer {
                Ok(_) => break,
                Err(status) => {
                    let passing = [Code::Unavailable, Code::DeadlineExceeded];
                    assert!(passing.contains(&status.code()), "{status:?}");
                }
            }
            assert!(began.elapsed() < PATIENCE, "it is back in time");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        eprintln!(
            "submissions were taken again {:?} after the server was killed",
            began.elapsed()
        );
        // What was acknowledged before is there.
        let answer = edms.submit_request(before).await.expect("it was taken").into_inner();
        assert_eq!(answer.name, first.name);
    }
    tokio::task::block_in_place(|| drop(system));
}
