//! `slawatch test-alert`'s trial of each vendor, and what it says when it does not arrive.

use slawatch_dispatcher::DispatcherConfig;
use slawatch_dispatcher::delivery::Answer;
use slawatch_dispatcher::trial::{self, Told};
use slawatch_stream::{Clock, SystemClock};
use tokio::runtime::Runtime;

use super::config;
use super::rig::target::{Reply, Target};
use super::rig::vendor::{ROUTING_KEY, TOKEN, Vendor};

fn trial(world: &Runtime, text: &str, receiver: &str) -> Result<Vec<Told>, String> {
    let config: DispatcherConfig = toml::from_str(text).unwrap();
    let now_ms = SystemClock::new().wall_ms();
    let done = world.block_on(trial::run(&config, receiver, now_ms));
    done.map_err(|error| error.to_string())
}

fn detail(told: &Told) -> &str {
    match &told.answer {
        Answer::Taken { detail, .. }
        | Answer::Refused { detail }
        | Answer::Trouble { detail, .. } => detail,
    }
}

#[test]
fn an_address_inside_is_not_asked_unless_it_is_allowed() {
    let world = Runtime::new().unwrap();
    let target = Target::of(world.handle(), Vendor::Webhook, &[]);
    let url = target.url().replace("127.0.0.1", "localhost");
    let allowed = Vendor::Webhook.settings("them", &url);
    let refused = allowed.replace("allow_private = true\n", "");
    let told = trial(&world, &refused, "them").unwrap();
    assert!(
        detail(&told[0]).starts_with("no connection: ")
            && detail(&told[0])
                .ends_with(", a private address; if it is meant to be, set allow_private = true"),
        "{told:?}"
    );
    assert_eq!((told.len(), target.seen().len()), (1, 0));
    assert_eq!(trial(&world, &allowed, "them").unwrap().len(), 2);
    assert_eq!(target.seen().len(), 2);
}

#[test]
fn a_trial_is_marked_and_ends_itself() {
    let world = Runtime::new().unwrap();
    for vendor in Vendor::ALL {
        let target = Target::of(world.handle(), vendor, &[]);
        let text = config(vendor, &target);
        let told = trial(&world, &text, "them").unwrap();
        let states: Vec<_> = told
            .iter()
            .map(|told| (told.state, told.is_taken()))
            .collect();
        assert_eq!(
            states,
            [("firing", true), ("resolved", true)],
            "{vendor:?}: {told:?}"
        );
        let first = String::from_utf8(target.seen()[0].body.clone()).unwrap();
        assert!(
            first.contains("TEST of receiver") && first.contains("nothing is wrong"),
            "{first}"
        );
        assert_eq!(target.wrong(), [""; 0], "{vendor:?}");
        match vendor {
            Vendor::PagerDuty => {
                assert_eq!(
                    target.remembers(|memory| memory.alerts.values().cloned().collect::<Vec<_>>()),
                    ["resolve"]
                );
            }
            Vendor::Slack => {
                assert_eq!(
                    target.remembers(|memory| (memory.messages.len(), memory.threads.len())),
                    (1, 1)
                );
            }
            Vendor::Webhook => assert_eq!(target.seen()[1].json()["test"], true),
            Vendor::Teams => {}
        }
    }
}

#[test]
fn a_trial_that_is_refused_says_why_and_goes_no_further() {
    let world = Runtime::new().unwrap();
    let target = Target::of(
        world.handle(),
        Vendor::Webhook,
        &[Reply::Status(404, "no such hook")],
    );
    let text = config(Vendor::Webhook, &target);
    let told = trial(&world, &text, "them").unwrap();
    assert_eq!(
        (told.len(), detail(&told[0])),
        (1, "404 Not Found: no such hook")
    );
    assert_eq!(
        trial(&world, &text, "others").unwrap_err(),
        "there is no receiver \"others\"; the configuration has \"them\""
    );
    assert_eq!(
        trial(&world, "", "others").unwrap_err(),
        "there is no receiver \"others\"; the configuration has none; add a [[dispatcher.receiver]]"
    );
}

#[test]
fn no_answer_and_no_trouble_shows_a_secret() {
    let world = Runtime::new().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/hunter2", free.local_addr().unwrap());
    drop(free);
    for vendor in Vendor::ALL {
        let target = Target::of(world.handle(), vendor, &[Reply::Status(400, "no")]);
        for url in [target.url(), nobody.clone()] {
            let told = trial(&world, &vendor.settings("them", &url), "them").unwrap();
            let shown = format!("{told:?}");
            assert!(!told[0].is_taken(), "{shown}");
            for secret in [ROUTING_KEY, TOKEN, "s3cret", "sig=x", "hunter2"] {
                assert!(!shown.contains(secret), "{vendor:?}: {shown}");
            }
        }
    }
}
