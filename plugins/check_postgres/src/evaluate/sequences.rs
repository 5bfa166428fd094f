//! Sequences that run out.

use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::counted;

use super::groups::{Context, finish, identifier, number};
use crate::metrics::SEQUENCE_USED_PERCENT;
use crate::snapshot::{Sequence, Sequences};

pub(super) fn sequences(context: &Context, found: &Sequences) -> Item {
    let mut judging = context.judging("sequences");
    let database = Text::limited(&context.server().database, 60);
    if let Some(worst) = found.worst.first() {
        let phrase = format!("sequence {} of {database} is used up to {{}}", Text::limited(&worst.name, 120));
        if judging.add(&SEQUENCE_USED_PERCENT, number(worst.used), &phrase) != State::Ok {
            judging.item.causes.extend(found.worst.iter().take(context.top()).map(line));
            judging.item.causes.push("at its end every insert that needs it fails".into());
            judging.item.next.push(remedy(worst));
        }
    }
    if found.hidden > 0 {
        judging.problem(
            State::Unknown,
            format!("the role may not read {} of {database}", counted(found.hidden, "sequence")),
        );
        for schema in &found.hidden_schemas {
            let what = format!("in {database}: GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO");
            judging.item.next.push(context.grant(&what).into());
        }
    }
    let worst = found
        .worst
        .first()
        .map(|worst| format!(", the most used {} at {:.1} %", Text::limited(&worst.name, 120), worst.used));
    finish(judging, format!("{} in {database}{}", counted(found.count, "sequence"), worst.unwrap_or_default()))
}

fn line(sequence: &Sequence) -> Text {
    let column = sequence.column.as_deref().map(|kind| format!(" of its {kind} column")).unwrap_or_default();
    format!("{}: {} of {}{column}, {:.1} %", sequence.name, sequence.last, sequence.end, sequence.used).into()
}

fn remedy(sequence: &Sequence) -> Text {
    let name = if sequence.name.is_empty() { identifier(&sequence.name) } else { sequence.name.clone() };
    match &sequence.column {
        Some(_) => {
            format!("ALTER TABLE … ALTER COLUMN … TYPE bigint (rewrites the table), ALTER SEQUENCE {name} AS bigint")
                .into()
        }
        None => format!("ALTER SEQUENCE {name} AS bigint NO MAXVALUE").into(),
    }
}
