//! What people do, over HTTP: what becomes an action on the log, what does not, and what is told.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, ORIGIN};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use slawatch_stream::{ConsumerEvent, PollHandler, Record, StartAt, TopicPartition};
use slawatch_wire::v1::{Action, ActionKind, AlertState, Signal, signal};

use super::*;
use crate::access::{Role, TokenGrant, form_token};
use crate::story::{alert_batch, firing};

pub(super) const ANA: &str = "planted-ana-0123456789";
pub(super) const VIC: &str = "planted-vic-0123456789";
const LINK_KEY: &str = "planted-link-0123456789";

pub(super) fn access() -> AccessOptions {
    let grant = |name: &str, role, token: &str| TokenGrant {
        name: name.to_owned(),
        role,
        token: token.to_owned(),
    };
    AccessOptions {
        tokens: vec![grant("ana", Role::Act, ANA), grant("vic", Role::View, VIC)],
        ..AccessOptions::default()
    }
    .with_link_key(LINK_KEY)
}

pub(super) fn open() -> AccessOptions {
    AccessOptions {
        open: true,
        ..AccessOptions::default()
    }
}

#[derive(Default)]
struct Actions(Vec<Action>);

impl PollHandler for Actions {
    fn record(&mut self, record: &Record<'_>) {
        let signal = Signal::decode(record.value.unwrap()).unwrap();
        if let Some(signal::Kind::Action(action)) = signal.kind {
            self.0.push(action);
        }
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

impl World {
    /// Every action on the log.
    pub(super) fn actions(&self) -> Vec<Action> {
        let partition = TopicPartition::new("slawatch.signals", 0);
        let mut reader = self.log.reader(&[partition], StartAt::Beginning).unwrap();
        let mut actions = Actions::default();
        for _ in 0..3 {
            reader.poll(Duration::ZERO, 10_000, &mut actions).unwrap();
        }
        actions.0
    }

    pub(super) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        self.patient().request(method, self.url(path))
    }

    /// Follows nothing by itself.
    fn patient(&self) -> reqwest::Client {
        let policy = reqwest::redirect::Policy::none();
        reqwest::Client::builder().redirect(policy).build().unwrap()
    }

    pub(super) fn ana(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(ANA)
    }

    /// As ana's browser sends a form.
    pub(super) fn form(&self, path: &str, fields: &str) -> RequestBuilder {
        let token = form_token(ANA);
        self.request("POST", path)
            .header("cookie", format!("slawatch_session={ANA}"))
            .header(ORIGIN, self.url(""))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("token={token}&{fields}"))
    }
}

pub(super) async fn told(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, value)
}

pub(super) async fn sent(request: RequestBuilder) -> (u16, Value) {
    told(request.send().await.unwrap()).await
}

#[tokio::test]
async fn an_acknowledgement_is_on_the_log_once_it_is_answered() {
    let world = World::afternoon_with(access()).await;
    let asked = json!({ "key": "a", "reason": "on it" });
    let request = || {
        world
            .ana("POST", "/api/v1/alerts/acknowledge")
            .header("Idempotency-Key", "once")
            .json(&asked)
    };
    let (status, done) = sent(request()).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["action_id"], "once");
    assert_eq!(done["kind"], "acknowledge");
    assert_eq!(done["author"], "ana");
    assert_eq!(done["repeated"], false);
    let [action] = &world.actions()[..] else {
        panic!("{:?}", world.actions())
    };
    assert_eq!(action.kind(), ActionKind::Acknowledge);
    assert_eq!(
        (action.author.as_str(), action.alert_key.as_str()),
        ("ana", "a")
    );
    // What the board knows of it.
    assert_eq!(action.vendor, "nova");
    assert!(action.incident.starts_with("a-"), "{action:?}");

    world.clock.advance(5_000);
    let (status, again) = sent(request()).await;
    assert_eq!((status, &again["repeated"]), (200, &json!(true)), "{again}");
    assert_eq!(again["at_ms"], done["at_ms"]);
    assert_eq!(world.actions().len(), 1);
    // Over meanwhile, it is still the same.
    let mut over = firing("a", "critical", ("nova", "refunds"), NOON_MS);
    over.state = AlertState::Resolved.into();
    over.revision = 9;
    world.append(
        "slawatch.alerts",
        alert_batch(9, vec![over]).encode_to_vec(),
    );
    world
        .until(|| async {
            world.json("/api/v1/alerts").await["firing"]
                .as_array()
                .unwrap()
                .len()
                == 1
        })
        .await;
    assert_eq!(sent(request()).await.0, 200);
    let other = world.ana("POST", "/api/v1/alerts/acknowledge").json(&asked);
    assert_eq!(sent(other).await.0, 409);
    assert_eq!(world.actions().len(), 1);
}

#[tokio::test]
async fn a_silence_is_made_listed_and_ended() {
    let world = World::afternoon_with(access()).await;
    let silence = json!({
        "vendor": "no*", "ticket_id": "T-*", "reason": "they move house",
        "ends_at": NOON_MS + 3_600_000, "action_id": "s-1",
    });
    let (status, done) = sent(world.ana("POST", "/api/v1/silences").json(&silence)).await;
    assert_eq!(status, 200, "{done}");
    world
        .until(|| async { world.json("/api/v1/silences").await["silences"] != json!([]) })
        .await;
    let listed = world.json("/api/v1/silences").await;
    let listed = &listed["silences"][0];
    assert_eq!(listed["id"], "s-1");
    assert_eq!(listed["state"], "active");
    assert_eq!(listed["vendor"], "no*");
    assert_eq!(listed["author"], "ana");
    let (_, page) = world.get("/silences").await;
    assert!(page.contains("they move house"), "{page}");
    assert!(!page.contains("End now"), "nobody is logged in: {page}");

    let (status, done) = sent(world.ana("DELETE", "/api/v1/silences/s-1")).await;
    assert_eq!(
        (status, &done["kind"]),
        (200, &json!("expire_silence")),
        "{done}"
    );
    world
        .until(|| async { world.json("/api/v1/silences").await["silences"][0]["state"] == "ended" })
        .await;
    let ended = &world.json("/api/v1/silences").await["silences"][0]["ended"];
    assert_eq!(ended["by"], "ana");
    // It travels as the silence did.
    assert_eq!(world.actions()[1].vendor, "no*");
    let (status, refused) = sent(world.ana("DELETE", "/api/v1/silences/s-1")).await;
    assert_eq!(status, 409);
    assert_eq!(refused["error"], "the silence \"s-1\" is over already");
}

#[tokio::test]
async fn a_change_is_marked() {
    let world = World::afternoon_with(access()).await;
    let change = json!({ "vendor": "acme", "queue": "refunds", "at": "2026-11-20T08:00:00+08:00", "reason": "SOP 14" });
    let (status, done) = sent(world.ana("POST", "/api/v1/changes").json(&change)).await;
    assert_eq!(
        (status, &done["kind"]),
        (200, &json!("mark_change")),
        "{done}"
    );
    let actions = world.actions();
    assert_eq!(actions[0].starts_ms, Some(1_795_132_800_000));
    assert_eq!(actions[0].queue, "refunds");
}

#[tokio::test]
async fn what_is_not_right_is_told_and_nothing_is_written() {
    let world = World::afternoon_with(access()).await;
    let post = |path: &str| world.ana("POST", path);
    let acknowledge = "/api/v1/alerts/acknowledge";
    let cases: [(RequestBuilder, u16, &str); 10] = [
        (
            post(acknowledge).json(&json!({})),
            422,
            "it is missing; write the alert's key, as in /api/v1/alerts",
        ),
        (
            post("/api/v1/silences")
                .json(&json!({ "vendor": "acme", "reason": "r", "ends_at": 5 })),
            422,
            "this lies in the past; write an instant ahead of now",
        ),
        (
            post("/api/v1/changes").json(&json!({ "reason": "r", "author": "eve" })),
            422,
            "the token says who it is; leave this field out",
        ),
        (
            post(acknowledge).json(&json!({ "key": "none" })),
            409,
            "no alert fires under the key \\\"none\\\": it is over, or was never there; /api/v1/alerts has those that fire",
        ),
        (
            post(acknowledge).json(&json!({ "key": "a", "incident": "old" })),
            409,
            "the incident \\\"old\\\" is over; under that key \\\"a-",
        ),
        (
            post(acknowledge).json(&json!({ "keys": "a" })),
            400,
            "the body cannot be read: unknown field `keys`, expected one of `key`,",
        ),
        (
            post(acknowledge)
                .body("{")
                .header(CONTENT_TYPE, "application/json"),
            400,
            "/api/v1/openapi.json says what it holds",
        ),
        (
            post(acknowledge)
                .body("{\"key\":\"a\"}")
                .header(CONTENT_TYPE, "text/plain"),
            415,
            "send JSON with Content-Type: application/json",
        ),
        (
            world.ana("DELETE", "/api/v1/silences/none"),
            404,
            "there is no silence \\\"none\\\"; /api/v1/silences has those that there are",
        ),
        (
            post(acknowledge)
                .body(" ".repeat(70_000))
                .header(CONTENT_TYPE, "application/json"),
            413,
            "limit",
        ),
    ];
    for (request, status, said) in cases {
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{said}");
        let text = response.text().await.unwrap();
        assert!(text.contains(said), "{said} is not in {text}");
    }
    assert_eq!(world.actions(), []);
}

#[tokio::test]
async fn forms_do_what_the_api_does() {
    let world = World::afternoon_with(access()).await;
    let response = world
        .form("/act/acknowledge", "key=a&reason=on+it")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        response.headers()["location"],
        "/alert?key=a&done=acknowledged"
    );
    let (_, page) = world.get("/alert?key=a&done=acknowledged").await;
    assert!(
        page.contains("✔ Acknowledged. It is written down"),
        "{page}"
    );

    let silence = "vendor=nova&queue=&rule=&ticket_id=&lasts=60&until=&reason=moving";
    let response = world.form("/act/silence", silence).send().await.unwrap();
    assert_eq!(response.headers()["location"], "/silences?done=silenced");
    let until = "vendor=nova&queue=&lasts=until&until=2026-11-23T09%3A00&reason=moving";
    let response = world.form("/act/silence", until).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let planned = "vendor=nova&from=2026-11-23T09%3A00&lasts=30&reason=moving";
    let response = world.form("/act/silence", planned).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let actions = world.actions();
    assert_eq!(actions[0].reason, "on it");
    assert_eq!(actions[3].starts_ms, Some(1_795_424_400_000));
    assert_eq!(actions[3].until_ms, Some(1_795_426_200_000));
    assert_eq!(actions[1].until_ms, Some(actions[1].at_ms + 3_600_000));
    assert_eq!(actions[2].until_ms, Some(1_795_424_400_000));
    let end = format!("id={}", actions[1].action_id);
    world
        .until(|| async {
            world.json("/api/v1/silences").await["silences"]
                .as_array()
                .unwrap()
                .len()
                == 3
        })
        .await;
    let response = world.form("/act/end-silence", &end).send().await.unwrap();
    assert_eq!(response.headers()["location"], "/silences?done=ended");
    assert_eq!(world.actions().len(), 5);

    for (path, fields, status, said) in [
        (
            "/act/silence",
            "vendor=nova&lasts=until&until=&reason=x",
            422,
            "the end is missing; choose how long",
        ),
        (
            "/act/silence",
            "lasts=60&reason=",
            422,
            "this would silence everything",
        ),
        (
            "/act/acknowledge",
            "key=none",
            409,
            "No alert fires under the key &quot;none&quot;",
        ),
    ] {
        let (was, page) = sent(world.form(path, fields)).await;
        let page = page.as_str().unwrap().to_owned();
        assert_eq!(was, status, "{page}");
        assert!(page.contains(said), "{said} is not in {page}");
    }
    // Another site's form has no secret, and another origin.
    let foreign = world
        .form("/act/acknowledge", "key=b")
        .body("key=b&token=x");
    assert_eq!(sent(foreign).await.0, 403);
    assert_eq!(world.actions().len(), 5);
}

#[tokio::test]
async fn a_link_in_a_message_shows_first_and_acknowledges_then() {
    let world = World::afternoon_with(access()).await;
    let incident = world.json("/api/v1/alerts").await["firing"][0]["incident"].clone();
    let incident = incident.as_str().unwrap().to_owned();
    let link = |key: &str, incident: &str, expires_s: i64| {
        let claim = slawatch_wire::link::Acknowledgement {
            key,
            incident,
            expires_s,
        };
        claim.link("", LINK_KEY.as_bytes())
    };
    let in_an_hour = NOON_MS / 1_000 + 3_600;
    let good = link("a", &incident, in_an_hour);
    let (status, page) = world.get(&good).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("nova / refunds: service level 41.2 % over 15m"),
        "{page}"
    );
    assert!(
        page.contains("<form class=\"narrow\" method=\"post\" action=\"/ack\">"),
        "{page}"
    );
    assert_eq!(world.actions(), [], "whoever looks does nothing");

    let query = good.split_once('?').unwrap().1.to_owned();
    let post = |fields: String| {
        world
            .request("POST", "/ack")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(fields)
    };
    let (status, page) = sent(post(format!("{query}&author=&reason="))).await;
    assert_eq!(status, 422, "{page}");
    let (status, page) = sent(post(format!("{query}&author=Bob+B.&reason=on+it"))).await;
    assert_eq!(status, 200, "{page}");
    assert!(
        page.as_str()
            .unwrap()
            .contains("✔ Acknowledged by Bob B. (by link)."),
        "{page}"
    );
    let actions = world.actions();
    assert_eq!(actions[0].author, "Bob B. (by link)");
    assert_eq!(actions[0].incident, incident);

    let (status, page) = world.get(&link("a", "old", in_an_hour)).await;
    assert_eq!(status, 200);
    assert!(page.contains("It is over"), "{page}");
    for (wrong, said) in [
        (
            link("a", &incident, NOON_MS / 1_000 - 60),
            "The link has expired; acknowledge the alert on the board",
        ),
        (
            good.replace("key=a", "key=b"),
            "The link is not one of this installation, or was changed on the way",
        ),
        (
            "/ack".to_owned(),
            "The link is not one of this installation",
        ),
    ] {
        let (status, page) = world.get(&wrong).await;
        assert_eq!(status, 403, "{page}");
        assert!(page.contains(said), "{said} is not in {page}");
    }
    let without = World::afternoon().await;
    let (status, page) = without.get(&good).await;
    assert_eq!(status, 403);
    assert!(page.contains("dispatcher.link_secret is missing"), "{page}");
}
