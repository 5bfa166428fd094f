//! Certificates that servers show, and the connection that they belong to.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::units::duration;

use super::Subject;
use crate::metrics::CERT_EXPIRY;
use crate::snapshot::{Certificate, Session};

/// Hosts of a certificate that are named.
const NAMES: usize = 8;

/// The certificate that ends first.
fn first_to_end(session: &Session) -> Option<&Certificate> {
    let readable = session.chain.iter().filter_map(|certificate| certificate.as_ref().ok());
    readable.min_by(|one, other| one.not_after.total_cmp(&other.not_after))
}

/// Whole seconds until it ends.
fn left(certificate: &Certificate, subject: &Subject) -> f64 {
    (certificate.not_after - subject.now.wall).floor()
}

/// Judges when the first certificate ends, and says it in a few words.
pub(super) fn judge(subject: &Subject, judging: &mut Judging) -> Option<String> {
    let session = subject.found.session.as_ref()?;
    let instance = &subject.target.instance;
    if let Some(reason) = session.chain.iter().find_map(|certificate| certificate.as_ref().err()) {
        judging.problem(State::Unknown, format!("{instance}: its certificate cannot be read: {reason}"));
    }
    let first = first_to_end(session)?;
    let left = left(first, subject);
    let whose = if std::ptr::eq(first, session.chain.first()?.as_ref().ok()?) {
        "certificate".to_owned()
    } else {
        format!("certificate of {} in its chain", first.subject)
    };
    let phrase = if left < 0.0 {
        format!("{instance}: {whose} has expired, left {{}}")
    } else {
        format!("{instance}: {whose} ends in {{}}")
    };
    if judging.add(&CERT_EXPIRY, Number::real(left), &phrase) != State::Ok {
        judging.item.next.push(renewal(subject).into());
    }
    let unchecked = match (subject.config.options.insecure, first.is_self_signed) {
        (true, true) => " (self-signed, not verified)",
        (true, false) => " (not verified)",
        (false, _) if session.is_pinned => " (trusted by itself)",
        (false, _) => "",
    };
    let ends =
        if left < 0.0 { format!("expired {} ago", duration(-left)) } else { format!("ends in {}", duration(left)) };
    Some(format!("{whose} {ends}{unchecked}"))
}

/// Shows the figure of a connection that failed for a reason of its own, without judging it twice.
pub(super) fn show(subject: &Subject, judging: &mut Judging) {
    if let Some(first) = subject.found.session.as_ref().and_then(first_to_end)
        && let Some(left) = Number::real(left(first, subject))
    {
        judging.show(&CERT_EXPIRY, left);
    }
}

/// How a certificate is renewed, as far as the guide tells.
pub(super) fn renewal(subject: &Subject) -> String {
    match subject.target.service() {
        Some("kwanza") => {
            "renew it and restart: docker-compose restart kwanza (it makes one at its start only where none \
                           exists)"
                .to_owned()
        }
        Some(service) => format!("renew it and restart: docker-compose restart {service}"),
        None => "renew it, and let the server read it anew".to_owned(),
    }
}

/// The connection and each certificate.
pub(super) fn notes(subject: &Subject, item: &mut Item) {
    let Some(session) = &subject.found.session else { return };
    let parts = [session.version.as_deref(), session.cipher.as_deref()];
    let mut parts: Vec<String> = parts.into_iter().flatten().map(str::to_owned).collect();
    parts.extend(session.protocol.as_ref().map(|protocol| format!("ALPN {protocol}")));
    if !parts.is_empty() {
        item.notes.push((1, parts.join(", ").into()));
    }
    for certificate in &session.chain {
        match certificate {
            Ok(certificate) => item.notes.push((1, describe(certificate, subject.now.wall).into())),
            Err(reason) => item.notes.push((1, format!("a certificate that cannot be read: {reason}").into())),
        }
    }
    let weaknesses = session.chain.iter().flatten().flat_map(|certificate| &certificate.weaknesses);
    item.notes.extend(weaknesses.map(|weakness| (1, weakness.as_str().into())));
}

fn describe(certificate: &Certificate, now: f64) -> String {
    let Certificate { subject, issuer, names, not_before, not_after, key, signature, is_self_signed, .. } = certificate;
    let mut hosts = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES {
        hosts = format!("{hosts} and {} more", names.len() - NAMES);
    }
    let hosts = if hosts.is_empty() { String::new() } else { format!(" for {hosts}") };
    let signer = if *is_self_signed { "signed by itself".to_owned() } else { format!("signed by {issuer}") };
    let time = if now < *not_before {
        format!("begins in {}", duration(not_before - now))
    } else if now > *not_after {
        format!("ended {} ago", duration(now - not_after))
    } else {
        format!("ends in {}", duration(not_after - now))
    };
    format!("certificate {subject}{hosts}, {signer} ({signature}), {key}, {time}")
}
