//! A session with a server that may fall silent.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::deadline::Deadline;
use postgres::{CancelToken, Client, NoTls};

use super::sql::{self, Detail};
use crate::connect::tls::Connector;
use crate::connect::{Connected, within};
use crate::outcome::{Fault, Found};
use crate::snapshot::{QueryFault, Snapshot};
use crate::wants::Wants;

/// What is left after the deadline of the statements to cancel what runs.
const FAREWELL: Duration = Duration::from_millis(300);
/// A lock is waited for no longer: who holds it is what the check is to tell.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// A session. When it is dropped, the server is told good-bye.
pub struct Open {
    client: Client,
    token: CancelToken,
    connector: Option<Connector>,
}

impl fmt::Debug for Open {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Open")
    }
}

/// The server fell silent.
struct Silence<T> {
    /// What it was asked then.
    step: String,
    /// Whether it took the request to cancel.
    is_cancelled: bool,
    /// What came after that request.
    late: Option<T>,
}

impl Open {
    /// What `work` does with the session, in a thread of its own, which is left behind when the server falls silent.
    fn work<T: Send + 'static>(
        self,
        deadline: &Deadline,
        work: impl FnOnce(&mut Client) -> T + Send + 'static,
    ) -> Result<(T, Self), Silence<T>> {
        let Self { mut client, token, connector } = self;
        let (sender, receiver) = channel();
        let worker = move || {
            let value = work(&mut client);
            let _ = sender.send((value, client));
        };
        // Without a thread nothing comes, and the channel is closed.
        let _ = thread::Builder::new().spawn(worker);
        match receiver.recv_timeout(limit(deadline)) {
            Ok((value, client)) => Ok((value, Self { client, token, connector })),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Silence { step: deadline.pending(), is_cancelled: false, late: None })
            }
            Err(RecvTimeoutError::Timeout) => {
                let step = deadline.pending();
                let is_cancelled = cancel(token, connector);
                let late = receiver.recv_timeout(FAREWELL).ok().map(|(value, _)| value);
                Err(Silence { step, is_cancelled, late })
            }
        }
    }
}

/// Asks all groups.
pub fn ask(connected: Connected, wants: Wants, deadline: &Deadline) -> Result<Found, Fault> {
    let Connected { client, connector, session } = connected;
    let open = Open { token: client.cancel_token(), client, connector };
    let (limit, own, begin) = (limit(deadline), deadline.clone(), Instant::now());
    let replied = open.work(deadline, move |client| {
        let reply = prepare(client, limit, &own).and_then(|()| sql::collect(client, &wants, &own));
        (reply, begin.elapsed().as_secs_f64())
    });
    match replied {
        Ok(((Ok(snapshot), query_time), open)) => Ok(Found { session, query_time, snapshot, open: Some(open) }),
        Ok(((Err(fault), _), _)) => Err(Fault::Query { server: session.server, fault }),
        Err(Silence { late: Some((Ok(snapshot), query_time)), .. }) => {
            Ok(Found { session, query_time, snapshot, open: None })
        }
        Err(Silence { step, is_cancelled, .. }) => Err(Fault::Hang { server: session.server, step, is_cancelled }),
    }
}

/// Asks for `details`, if the session is still there and the server answers in time.
pub fn explain(found: &mut Found, details: Vec<Detail>, deadline: &Deadline) -> bool {
    let Some(open) = found.open.take() else { return false };
    let (mut snapshot, own) = (Snapshot::of(found.snapshot.server.clone()), deadline.clone());
    let replied = open.work(deadline, move |client| {
        sql::explain(client, &mut snapshot, &details, &own);
        snapshot.explanation
    });
    let Ok((explanation, _)) = replied else { return false };
    found.snapshot.explanation = explanation;
    true
}

/// The time that the server has.
fn limit(deadline: &Deadline) -> Duration {
    deadline.budget().saturating_sub(FAREWELL)
}

/// Makes the session one that can change nothing and that hangs nowhere.
fn prepare(client: &mut Client, limit: Duration, deadline: &Deadline) -> Result<(), QueryFault> {
    let _step = deadline.step("the settings of the session");
    // The server stops a statement before we stop waiting for it.
    let statement = limit.mul_f64(0.9).as_millis().max(1);
    let lock = LOCK_TIMEOUT.min(limit).as_millis().max(1);
    let sql = format!(
        "SET default_transaction_read_only = on; SET statement_timeout = {statement}; SET lock_timeout = {lock}"
    );
    client.batch_execute(&sql).map_err(|error| sql::fault(&error))
}

/// Asks the server to stop what it does for us. Whether it took the request.
fn cancel(token: CancelToken, connector: Option<Connector>) -> bool {
    let cancelled = within(FAREWELL, move || match connector {
        Some(connector) => token.cancel_query(connector),
        None => token.cancel_query(NoTls),
    });
    matches!(cancelled, Some(Ok(())))
}
