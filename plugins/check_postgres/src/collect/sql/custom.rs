//! The user's own statement.

use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::{fault, own_fault};
use crate::snapshot::{CustomRow, QueryFault};

/// Rows that are judged, at most.
const MAX_ROWS: usize = 1000;

/// Reads the rows of `sql` through a cursor, so that no more come than are judged, in a transaction that cannot write.
pub(super) fn ask(client: &mut Client, sql: &str) -> Result<Vec<CustomRow>, QueryFault> {
    let sql = sql.trim().trim_end_matches(';');
    let text = format!(
        "BEGIN READ ONLY; DECLARE check_postgres NO SCROLL CURSOR FOR {sql}\n; FETCH {} FROM check_postgres; ROLLBACK",
        MAX_ROWS + 1
    );
    let messages = match client.simple_query(&text) {
        Ok(messages) => messages,
        Err(error) => {
            let fault = fault(&error);
            // The session is of no further use if this fails, which the next statement would tell.
            let _ = client.batch_execute("ROLLBACK");
            return Err(fault);
        }
    };
    let rows: Vec<SimpleQueryRow> = messages
        .into_iter()
        .filter_map(|message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None })
        .collect();
    if rows.len() > MAX_ROWS {
        return Err(own_fault(&format!("it brings more than {MAX_ROWS} rows")));
    }
    rows.iter().map(row).collect()
}

fn row(row: &SimpleQueryRow) -> Result<CustomRow, QueryFault> {
    let column = |name: &str| -> Result<Option<String>, QueryFault> {
        match row.columns().iter().position(|column| column.name() == name) {
            Some(at) => Ok(row.try_get(at).map_err(|error| fault(&error))?.map(str::to_owned)),
            None => Ok(None),
        }
    };
    let has = |name: &str| row.columns().iter().any(|column| column.name() == name);
    if !has("name") || !has("value") {
        return Err(own_fault("it has no columns 'name' and 'value'"));
    }
    Ok(CustomRow {
        name: column("name")?,
        value: column("value")?,
        warning: column("warning")?,
        critical: column("critical")?,
    })
}
