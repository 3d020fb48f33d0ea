//! How a process ends.

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use treaty_service::{Shutdown, ShutdownError};

const GRACE: Duration = Duration::from_secs(10);

/// A task that lasts until it is asked to end.
async fn lasting(shutdown: Shutdown) -> Result<(), Error> {
    shutdown.token().cancelled().await;
    Ok(())
}

#[tokio::test]
async fn tasks_finish_when_asked() {
    let shutdown = Shutdown::new();
    let finished = Arc::new(AtomicBool::new(false));
    let (token, done) = (shutdown.token(), Arc::clone(&finished));
    shutdown.spawn("one", async move {
        token.cancelled().await;
        tokio::task::yield_now().await;
        done.store(true, Ordering::SeqCst);
        Ok::<(), Error>(())
    });
    shutdown.spawn("two", lasting(shutdown.clone()));
    shutdown.trigger();
    assert_eq!(shutdown.wait(GRACE).await, Ok(()));
    assert!(finished.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_failed_task_ends_everything() {
    let shutdown = Shutdown::new();
    shutdown.spawn("lasting", lasting(shutdown.clone()));
    shutdown.spawn("failing", async { Err(Error::other("no")) });
    assert_eq!(shutdown.wait(GRACE).await, Err(ShutdownError::Failed("failing".to_owned())));
}

#[tokio::test]
async fn a_panic_ends_everything() {
    let shutdown = Shutdown::new();
    shutdown.spawn("lasting", lasting(shutdown.clone()));
    shutdown.spawn("panicking", async {
        tokio::task::yield_now().await;
        if true {
            panic!("on purpose");
        }
        Ok::<(), Error>(())
    });
    assert_eq!(shutdown.wait(GRACE).await, Err(ShutdownError::Failed("panicking".to_owned())));
}

#[tokio::test]
async fn a_task_that_ends_early_ends_everything() {
    let shutdown = Shutdown::new();
    shutdown.spawn("brief", async { Ok::<(), Error>(()) });
    assert_eq!(shutdown.wait(GRACE).await, Err(ShutdownError::EndedEarly("brief".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_outlives_the_grace_is_named() {
    let shutdown = Shutdown::new();
    shutdown.spawn("stuck", std::future::pending::<Result<(), Error>>());
    shutdown.trigger();
    assert_eq!(
        shutdown.wait(GRACE).await,
        Err(ShutdownError::StillRunning(vec!["stuck".to_owned()]))
    );
}

#[tokio::test]
async fn a_signal_begins_the_end() {
    let shutdown = Shutdown::on_signals().unwrap();
    shutdown.spawn("lasting", lasting(shutdown.clone()));
    // The signal goes to this very process, which now listens instead of dying.
    let pid = std::process::id().to_string();
    let sent = tokio::task::spawn_blocking(move || {
        std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap()
    });
    assert!(sent.await.unwrap().success());
    assert_eq!(shutdown.wait(GRACE).await, Ok(()));
}
