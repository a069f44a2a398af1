//! What ends a role's thread before its time, an error or a panic, is told to the whole process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};

/// The first failure for good of any thread. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures(Arc<Mutex<Option<anyhow::Error>>>);

impl Failures {
    /// Starts a role's thread.
    pub(super) fn spawn(
        &self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<JoinHandle<()>> {
        let (failures, thread) = (self.clone(), name.to_owned());
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Nothing that the thread held is looked at again: it failed, and the process ends.
                match catch_unwind(AssertUnwindSafe(work)) {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => failures.tell(error.context(format!("{thread} stopped"))),
                    Err(panic) => failures.tell(anyhow!(
                        "{thread} panicked: {}; this is a defect of slawatch, and the process ends so that others take \
                         its partitions over: please report it with the log before this line",
                        words(panic.as_ref())
                    )),
                }
            })
            .with_context(|| format!("cannot start the thread {name}"))
    }

    /// Remembers the first.
    pub(super) fn tell(&self, failure: anyhow::Error) {
        tracing::error!("{failure:#}");
        self.lock().get_or_insert(failure);
    }

    pub(super) fn any(&self) -> bool {
        self.lock().is_some()
    }

    pub(super) fn take(&self) -> Option<anyhow::Error> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<anyhow::Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure_of(work: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Option<String> {
        let failures = Failures::default();
        failures.spawn("tracker-0", work).unwrap().join().unwrap();
        failures.take().map(|failure| format!("{failure:#}"))
    }

    #[test]
    fn errors_and_panics_name_the_thread() {
        assert_eq!(failure_of(|| Ok(())), None);
        let error = failure_of(|| Err(anyhow!("no more disk")));
        assert_eq!(error.as_deref(), Some("tracker-0 stopped: no more disk"));
        type Work = fn() -> anyhow::Result<()>;
        let panics: [(Work, &str); 3] = [
            (|| panic!("index 7"), "index 7"),
            (|| panic!("index {}", 8), "index 8"),
            (|| std::panic::panic_any(9), "without a word"),
        ];
        for (panic, words) in panics {
            let told = failure_of(panic).unwrap();
            let start = format!("tracker-0 panicked: {words}; this is a defect of slawatch");
            assert!(told.starts_with(&start), "{told}");
        }
    }

    #[test]
    fn the_first_failure_stays() {
        let failures = Failures::default();
        failures.tell(anyhow!("the cause"));
        failures.tell(anyhow!("a consequence"));
        assert!(failures.any());
        assert_eq!(failures.take().unwrap().to_string(), "the cause");
    }
}
