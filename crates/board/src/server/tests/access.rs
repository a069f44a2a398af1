//! Who gets in over HTTP, who may act, how often, and that no answer shows a secret.

use std::io::Write;
use std::sync::Mutex;

use reqwest::header::{CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;

use super::acting::{ANA, VIC, access, open, sent, told};
use super::*;
use crate::access::form_token;

#[tokio::test]
async fn only_who_may_acts_and_the_rest_is_told_what_to_do() {
    let world = World::afternoon_with(access()).await;
    let acknowledge = |request: RequestBuilder| request.json(&json!({ "key": "a" }));
    let path = "/api/v1/alerts/acknowledge";
    let session = format!("slawatch_session={ANA}");
    let cookie = |request: RequestBuilder| request.header("cookie", &session);
    let cases = [
        (
            world.request("POST", path),
            401,
            "this needs a token: send it as",
        ),
        (
            world.request("POST", path).bearer_auth("wrong"),
            401,
            "nobody has this token",
        ),
        (
            world.request("POST", path).bearer_auth(VIC),
            403,
            "vic may look and not act; give that token role = \"act\" in board.access.tokens",
        ),
        (
            world
                .ana("POST", path)
                .header(ORIGIN, "https://evil.example.com"),
            403,
            "this came from another web site and was not done",
        ),
        (
            cookie(world.request("POST", path)),
            403,
            "this form is of another session and nothing was done",
        ),
        (
            cookie(world.request("POST", path)).header("x-csrf-token", form_token(VIC)),
            403,
            "this form is of another session and nothing was done",
        ),
    ];
    for (request, status, said) in cases {
        let response = acknowledge(request).send().await.unwrap();
        let asks = response.headers().contains_key(WWW_AUTHENTICATE);
        let (was, refused) = told(response).await;
        assert_eq!((was, asks), (status, status == 401), "{refused}");
        let error = refused["error"].as_str().unwrap();
        assert!(error.starts_with(said), "{error}");
    }
    assert_eq!(world.actions(), []);
    let request = cookie(world.request("POST", path)).header("x-csrf-token", form_token(ANA));
    assert_eq!(sent(acknowledge(request)).await.0, 200);

    // Where nobody has a token, nobody acts; and where all may, only those who reach it by its own name.
    let alone = World::afternoon().await;
    let (status, refused) = sent(acknowledge(alone.request("POST", path))).await;
    assert_eq!(status, 403);
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .starts_with("nobody may act here, since no token is configured"),
        "{refused}"
    );
    let open = World::afternoon_with(open()).await;
    let body = json!({ "key": "a", "author": "bob" });
    let rebound = open
        .request("POST", path)
        .header(HOST, "evil.example.com")
        .json(&body);
    assert_eq!(sent(rebound).await.0, 403);
    let (status, refused) = sent(acknowledge(open.request("POST", path))).await;
    assert_eq!(
        (status, &refused["mistakes"][0]["field"]),
        (422, &json!("author"))
    );
    let (status, done) = sent(open.request("POST", path).json(&body)).await;
    assert_eq!((status, &done["author"]), (200, &json!("bob")), "{done}");
}

#[tokio::test]
async fn where_reading_needs_a_token_nothing_is_shown_without() {
    let closed = AccessOptions {
        free_reading: Some(false),
        ..access()
    };
    let world = World::with(closed);
    world.make_topics();
    for (path, status) in [
        ("/", 303),
        ("/alerts", 303),
        ("/live", 401),
        ("/api/v1/board", 401),
        ("/api/v1/openapi.json", 401),
        ("/nothing", 303),
        ("/login", 200),
        ("/board.css", 200),
        ("/livez", 200),
    ] {
        let response = world.request("GET", path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        if status == 303 {
            let place = response.headers()["location"].to_str().unwrap().to_owned();
            assert!(place.starts_with("/login?next=%2F"), "{place}");
        }
        let seen = world.request("GET", path).bearer_auth(VIC).send().await;
        let expected = if path == "/nothing" { 404 } else { 200 };
        assert_eq!(seen.unwrap().status().as_u16(), expected, "{path}");
    }
    // From another site browsers bring no cookie along: a page of ours leads to the same address once more.
    let from_slack = world
        .request("GET", "/alert?key=a%2Fb")
        .header("sec-fetch-site", "cross-site");
    let text = from_slack.send().await.unwrap().text().await.unwrap();
    assert!(
        text.contains("content=\"0; url=/alert?key=a%2Fb\""),
        "{text}"
    );
}

#[tokio::test]
async fn a_token_becomes_a_session_that_ends_with_it() {
    let world = World::afternoon_with(access()).await;
    let login = |token: &str| {
        world
            .request("POST", "/login")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("token={token}&next=%2Falerts"))
    };
    let response = login(ANA).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()["location"], "/alerts");
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let expected =
        format!("slawatch_session={ANA}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
    assert_eq!(cookie, expected);
    let page = |session: String| {
        let request = world.request("GET", "/").header("cookie", session);
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    let seen = page(format!("slawatch_session={ANA}")).await;
    assert!(seen.contains("<span>ana</span>"), "{seen}");
    assert!(seen.contains("action=\"/act/acknowledge\""), "{seen}");
    let seen = page("slawatch_session=taken-out-0123456789".to_owned()).await;
    assert!(seen.contains("Log in to act"), "{seen}");
    assert!(!seen.contains("/act/acknowledge"), "{seen}");
    let out = world.form("/logout", "").send().await.unwrap();
    assert!(
        out.headers()[SET_COOKIE]
            .to_str()
            .unwrap()
            .starts_with("slawatch_session=; Path=/; Max-Age=0"),
        "{out:?}"
    );
    // Guessing is slow.
    for _ in 0..10 {
        assert_eq!(login("wrong").send().await.unwrap().status().as_u16(), 401);
    }
    let response = login(ANA).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 429);
    assert_eq!(response.headers()[RETRY_AFTER], "6");
    let text = response.text().await.unwrap();
    assert!(text.contains("too many requests; wait 6 s"), "{text}");
}

#[tokio::test]
async fn too_much_is_slowed_down_for_client_and_user() {
    let world = World::afternoon_with(access()).await;
    let asked = |number: usize| {
        let change = json!({ "reason": format!("change {number}") });
        world.ana("POST", "/api/v1/changes").json(&change)
    };
    for number in 0..30 {
        assert_eq!(sent(asked(number)).await.0, 200);
    }
    let response = asked(30).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 429);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert_eq!(
        told(response).await.1["error"],
        "too many requests; wait 1 s"
    );
    world.clock.advance(1_000);
    assert_eq!(sent(asked(31)).await.0, 200);
    assert_eq!(world.actions().len(), 31);
}

/// What the whole process logs, from everybody at every level.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_answer_and_no_log_has_a_secret_in_it() {
    let logged = Logged::default();
    let writer = logged.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let world = World::afternoon_with(access()).await;
    let mut seen = String::new();
    for path in [
        "/",
        "/live",
        "/alerts",
        "/alert?key=a",
        "/silences",
        "/login",
        "/ack?sig=00",
        "/api/v1/board",
        "/api/v1/alerts",
        "/api/v1/silences",
        "/api/v1/openapi.json",
        "/metrics",
        "/readyz",
        "/nothing",
    ] {
        for request in [
            world.request("GET", path),
            world.ana("GET", path),
            world
                .request("GET", path)
                .header("cookie", format!("slawatch_session={ANA}")),
        ] {
            let response = request.send().await.unwrap();
            seen.push_str(&format!("{:?}", response.headers()));
            seen.push_str(&response.text().await.unwrap());
        }
    }
    for request in [
        world.form("/act/acknowledge", "key=none"),
        world
            .request("POST", "/api/v1/changes")
            .bearer_auth("planted-wrong-0123456789"),
        world
            .request("POST", "/login")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("token=planted-wrong-0123456789&next=%2F"),
    ] {
        let response = request.send().await.unwrap();
        seen.push_str(&format!("{:?}", response.headers()));
        seen.push_str(&response.text().await.unwrap());
    }
    assert!(!seen.contains("planted"), "a secret is shown");
    let form = world.form("/act/acknowledge", "key=a&reason=r");
    assert_eq!(form.send().await.unwrap().status(), StatusCode::SEE_OTHER);
    let logged = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("somebody acted"), "{logged}");
    let told = logged.lines().find(|line| line.contains("planted"));
    assert_eq!(told, None, "a secret is logged");
}
