//! The next steps of the operations guide.

use common::report::Item;

use crate::target::Target;

/// Where nobody answers: look whether the container is up, start it, read why it ended.
pub fn nobody(target: &Target, item: &mut Item) {
    let Some(service) = target.service() else {
        item.next.push("docker-compose ps (is its container Up, and is the port published?)".into());
        return;
    };
    item.next.push(format!("docker-compose ps {service}; docker-compose up -d {service}").into());
    item.next.push(format!("docker-compose logs --tail 50 {service} (why it ended)").into());
    if target.url.port == 8080 {
        item.next.push(
            "port 8080 is not published in the guide's deployment: ask at the container's address, or publish it"
                .into(),
        );
    }
}

/// Where somebody answers, but not well.
pub fn not_well(target: &Target, item: &mut Item) {
    let step = match target.service() {
        Some(service) => format!("docker-compose logs --tail 50 {service}"),
        None => "docker-compose ps; docker-compose logs --tail 50".to_owned(),
    };
    let step = step.as_str().into();
    if !item.next.contains(&step) {
        item.next.push(step);
    }
}
