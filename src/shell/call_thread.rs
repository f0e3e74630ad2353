//! The thread that calls live on. Events socket, driver and requests share it: from an event to what the engine does about
//! it no other thread is woken, which would cost more than all the rest, and no console, report or password that is
//! being checked can hold up a call.

use std::future::Future;
use std::io;
use std::thread;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::sync::oneshot;

/// The thread, before it runs.
pub struct CallThread {
    runtime: Runtime,
}

impl CallThread {
    /// # Errors
    /// What the operating system does not grant: descriptors, usually.
    pub fn new() -> io::Result<CallThread> {
        Ok(CallThread { runtime: Builder::new_current_thread().enable_all().build()? })
    }

    /// What is spawned as long as the guard lives belongs to this thread. It begins with [`run`](Self::run).
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Runs `work`, whose result can be awaited (there is none if it panicked), and all that was spawned, which goes on
    /// after it until `farewell` ends.
    ///
    /// # Errors
    /// The operating system does not start a thread.
    pub fn run<T: Send + 'static>(
        self,
        work: impl Future<Output = T> + Send + 'static,
        farewell: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<oneshot::Receiver<T>> {
        let (done, result) = oneshot::channel();
        thread::Builder::new().name("calls".to_owned()).spawn(move || {
            self.runtime.block_on(async {
                // As a task, not as what the thread waits for: that has its turn only after one more look at the network.
                match tokio::spawn(work).await {
                    // An error means that nobody waits any more: the process is about to end.
                    Ok(result) => drop(done.send(result)),
                    Err(_) => drop(done),
                }
                farewell.await;
            });
        })?;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_spawned_before_runs_there_too() {
        let calls = CallThread::new().unwrap();
        let spawned = {
            let _here = calls.enter();
            tokio::spawn(async { thread::current().name().map(str::to_owned) })
        };
        let result = calls.run(async { spawned.await.unwrap() }, async {}).unwrap();
        assert_eq!(result.await.unwrap().as_deref(), Some("calls"));
    }

    #[tokio::test]
    async fn a_panic_is_told_by_the_absence_of_a_result() {
        let work = async {
            if std::hint::black_box(true) {
                panic!("as a test")
            }
        };
        assert!(CallThread::new().unwrap().run(work, async {}).unwrap().await.is_err());
    }
}
