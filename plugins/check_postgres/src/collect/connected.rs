//! The groups are asked in a thread of their own, which is left behind when the server falls silent.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::deadline::Deadline;
use postgres::{CancelToken, Client, NoTls};

use super::sql;
use crate::connect::tls::Connector;
use crate::connect::{Connected, Session, within};
use crate::outcome::{Fault, Found};
use crate::snapshot::{QueryFault, Snapshot};
use crate::wants::Wants;

/// What is left after the deadline of the statements to cancel what runs.
const FAREWELL: Duration = Duration::from_millis(300);
/// A lock is waited for no longer: who holds it is what the check is to tell.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// Asks all groups.
pub fn ask(connected: Connected, wants: Wants, deadline: &Deadline) -> Result<Found, Fault> {
    let Connected { mut client, connector, session } = connected;
    let limit = deadline.budget().saturating_sub(FAREWELL);
    let token = client.cancel_token();
    let (sender, receiver) = channel();
    let own = deadline.clone();
    let begin = Instant::now();
    let spawned = thread::Builder::new().spawn(move || {
        let reply = prepare(&mut client, limit, &own).and_then(|()| sql::collect(&mut client, &wants, &own));
        let _ = sender.send((reply, begin.elapsed()));
        // Says good-bye to the server, so that its log does not tell of a client that was lost.
        drop(client);
    });
    if let Err(error) = spawned {
        return Err(Fault::Ours(format!("no thread for the session: {}", common::text::io_error(&error))));
    }
    match receiver.recv_timeout(limit) {
        Ok((reply, took)) => found(session, reply, took),
        Err(RecvTimeoutError::Disconnected) => Err(silent(session, deadline.pending(), false)),
        Err(RecvTimeoutError::Timeout) => {
            let step = deadline.pending();
            let is_cancelled = cancel(token, connector);
            match receiver.recv_timeout(FAREWELL) {
                Ok((Ok(snapshot), took)) => found(session, Ok(snapshot), took),
                _ => Err(silent(session, step, is_cancelled)),
            }
        }
    }
}

fn found(session: Session, reply: Result<Snapshot, QueryFault>, took: Duration) -> Result<Found, Fault> {
    match reply {
        Ok(snapshot) => Ok(Found { session, query_time: took.as_secs_f64(), snapshot }),
        Err(fault) => Err(Fault::Query { server: session.server, fault }),
    }
}

fn silent(session: Session, step: String, is_cancelled: bool) -> Fault {
    Fault::Hang { server: session.server, step, is_cancelled }
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
