//! Where statements of SQL run, whoever asks them: threads of their own, which give way to everybody else.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::priority::yield_to_all;
use crate::query::sql::refusal::{Code, Refusal};
use crate::query::sql::{Session, Sql};

/// Bytes that one statement may hold, and all together.
const MEMORY: usize = 256 << 20;
const MEMORY_TOGETHER: usize = 1 << 30;

/// Expressions are trees that are walked by calls: room for the deepest that are accepted.
pub const STACK: usize = 16 << 20;

/// What statements share.
#[derive(Clone)]
pub struct Statements {
    sql: Arc<Sql>,
    pub threads: Handle,
    /// How long a statement takes at most, unless its client sets less.
    pub deadline: Duration,
}

/// The threads. Statements that are under way end with them.
pub struct Threads(Option<Runtime>);

impl Statements {
    pub fn start(deadline: Duration) -> anyhow::Result<(Statements, Threads)> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = Builder::new_multi_thread()
            .worker_threads(cores)
            .max_blocking_threads(2 * cores)
            .thread_name("sql")
            .thread_stack_size(STACK)
            .on_thread_start(yield_to_all)
            .enable_time()
            .build()?;
        let sql = Arc::new(threads.block_on(Sql::new(MEMORY_TOGETHER))?);
        let statements = Statements { sql, threads: threads.handle().clone(), deadline };
        Ok((statements, Threads(Some(threads))))
    }

    /// A session of somebody.
    pub fn session(&self, user: &str) -> Result<Session, Refusal> {
        Ok(self.sql.session(user, MEMORY)?)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Whoever waits is cut off: a statement writes nothing that could be left half done.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work on the threads of statements, which ends with who waits for it.
pub struct Work<T>(JoinHandle<T>);

impl<T: Send + 'static> Work<T> {
    pub fn start(threads: &Handle, work: impl Future<Output = T> + Send + 'static) -> Work<T> {
        let counted = Counted::new();
        let work = async move {
            let _counted = counted;
            work.await
        };
        Work(threads.spawn(work.instrument(tracing::info_span!("statement"))))
    }

    /// A panic is a defect of ours, and ends no more than the statement.
    pub async fn done(&mut self) -> Result<T, Refusal> {
        (&mut self.0)
            .await
            .map_err(|_| Refusal::new(Code::Internal, "the statement failed: this is a defect of the service"))
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A statement that takes processors' time, told to whoever watches the service.
struct Counted(Instant);

/// Statements whose work has begun and not ended.
const RUNNING: &str = "cohortflow_sql_statements_running";

impl Counted {
    fn new() -> Counted {
        metrics::gauge!(RUNNING).increment(1.0);
        Counted(Instant::now())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(RUNNING).decrement(1.0);
        metrics::histogram!("cohortflow_sql_seconds").record(self.0.elapsed().as_secs_f64());
    }
}
