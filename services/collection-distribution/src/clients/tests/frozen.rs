//! A process that was frozen until its time was over.

use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::watch;

use super::{
    servers::{Secured, Server, shows},
    *,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Stage {
    Sending,
    WindowFull,
    Frozen,
    Over,
}

/// Takes what its window holds, and once this system is frozen grants it all that it could wish; counts what comes then.
async fn serve(stream: Secured, stage: watch::Sender<Stage>, came_later: Arc<AtomicUsize>) {
    let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
    let (request, _respond) = connection.accept().await.expect("a call").expect("it is sound");
    let mut body = request.into_body();
    let reading = async {
        let mut taken = 0;
        while taken < 65_535 {
            taken += body.data().await.expect("more comes").expect("it is sound").len();
        }
        stage.send_replace(Stage::WindowFull);
        stage
            .subscribe()
            .wait_for(|stage| *stage >= Stage::Frozen)
            .await
            .expect("it is ours");
        body.flow_control().release_capacity(taken).expect("it was taken");
        while let Some(Ok(data)) = body.data().await {
            came_later.fetch_add(data.len(), SeqCst);
        }
    };
    let driving = async { while let Some(Ok(_)) = connection.accept().await {} };
    tokio::join!(reading, driving);
    stage.send_replace(Stage::Over);
}

/// On a thread of its own, which can be stopped as SIGSTOP stops a process. None when a busy machine was not in the middle of the
/// delivery before its time was over.
fn deliver_and_freeze(
    ground: impl FnOnce() -> (Ground, u16),
    mut stage: watch::Receiver<Stage>,
    frozen: watch::Sender<Stage>,
    time: Duration,
) -> Option<Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("it starts").block_on(async {
        let (ground, port) = ground();
        let until = Instant::now() + time;
        let parcel = Parcel {
            until,
            ..parcel(vec![ground.store(&bytes(1_000_000))])
        };
        let to = court(port);
        let mut delivering = pin!(ground.failure_of(&to, parcel));
        tokio::select! {
            full = stage.wait_for(|stage| *stage >= Stage::WindowFull) => drop(full.expect("the server keeps it")),
            _ = &mut delivering => return None,
        }
        frozen.send_replace(Stage::Frozen);
        std::thread::sleep(until.saturating_duration_since(Instant::now()) + Duration::from_millis(200));
        Some(delivering.await)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_wakes_after_its_time_sends_nothing_more() {
    for seconds in [3, 12, 48] {
        if let Some((failure, came_later)) = woken_late(Duration::from_secs(seconds)).await {
            assert_eq!(failure.outcome, Outcome::NoAnswer, "{failure:?}");
            assert_eq!(came_later, 0);
            return;
        }
    }
    panic!("no delivery is in the middle in time");
}

/// How a delivery fails that was frozen until its time was over, and how many bytes came afterwards.
async fn woken_late(time: Duration) -> Option<(Failure, usize)> {
    let stage = watch::Sender::new(Stage::Sending);
    let came_later = shared(AtomicUsize::new(0));
    // What is stored and signed is made where it is used; the server's certificate is made here.
    let (made, port) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let (tell_config, config) = made;
    let (tell_port, known) = port;
    let (told, frozen) = (stage.subscribe(), stage.clone());
    let client = std::thread::spawn(move || {
        let ground = || {
            let ground = Ground::new();
            tell_config
                .send(shows(&ground.identity(COURT)))
                .expect("the test waits");
            (ground, known.recv().expect("the server starts"))
        };
        deliver_and_freeze(ground, told, frozen, time)
    });
    let config = config.recv().expect("the ground is made");
    let (counted, told) = (came_later.clone(), stage.clone());
    let server = Server::secured(config, move |stream| serve(stream, told.clone(), counted.clone())).await;
    tell_port.send(server.port).expect("the client waits");
    let failure = tokio::task::block_in_place(|| client.join()).expect("no code panics")?;
    stage
        .subscribe()
        .wait_for(|stage| *stage == Stage::Over)
        .await
        .expect("it is ours");
    Some((failure, came_later.load(SeqCst)))
}
