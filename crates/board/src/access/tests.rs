//! Who gets in, and who is told what to configure.

use axum::http::HeaderName;

use super::*;

const ANA: &str = "ana-0123456789abcdef";
const VIC: &str = "vic-0123456789abcdef";

fn options() -> AccessOptions {
    let grant = |name: &str, role, token: &str| TokenGrant {
        name: name.to_owned(),
        role,
        token: token.to_owned(),
    };
    AccessOptions {
        tokens: vec![grant("ana", Role::Act, ANA), grant("vic", Role::View, VIC)],
        ..AccessOptions::default()
    }
}

fn loopback() -> SocketAddr {
    "127.0.0.1:8080".parse().unwrap()
}

fn everywhere() -> SocketAddr {
    "0.0.0.0:8080".parse().unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), value.parse().unwrap())
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn a_token_names_its_user_by_header_or_cookie() {
    let access = Access::new(&options(), everywhere());
    let name = |pairs: &[(&'static str, &str)]| {
        let caller = access.identify(&headers(pairs));
        caller.map(|caller| caller.user.map(|user| (user.name, user.by_cookie)))
    };
    let bearer = format!("bearer {ANA}");
    let cookie = format!("a=b; slawatch_session={VIC}");
    assert_eq!(
        name(&[("authorization", &bearer)]),
        Ok(Some(("ana".to_owned(), false)))
    );
    assert_eq!(
        name(&[("cookie", &cookie)]),
        Ok(Some(("vic".to_owned(), true)))
    );
    assert_eq!(name(&[("cookie", "slawatch_session=old")]), Ok(None));
    assert_eq!(name(&[]), Ok(None));
    for wrong in ["Bearer nobody", "Basic YTpi", "Bearer", "Bearer "] {
        assert_eq!(
            name(&[("authorization", wrong)]),
            Err(UnknownToken),
            "{wrong}"
        );
    }
}

#[test]
fn what_may_be_done_follows_from_the_configuration() {
    let caller = |role: Option<Role>| Caller {
        user: role.map(|role| User {
            name: "n".to_owned(),
            role,
            by_cookie: false,
        }),
        cookie: None,
    };
    let open = AccessOptions {
        open: true,
        ..AccessOptions::default()
    };
    let free = AccessOptions {
        free_reading: Some(true),
        ..options()
    };
    let closed = AccessOptions {
        free_reading: Some(false),
        ..options()
    };
    // Options, address, and whether nobody, a viewer and an actor may (read, act).
    let cases = [
        (AccessOptions::default(), loopback(), [(true, false); 3]),
        (options(), loopback(), [(true, false); 3]),
        (
            options(),
            everywhere(),
            [(false, false), (true, false), (true, false)],
        ),
        (free, everywhere(), [(true, false); 3]),
        (
            closed,
            loopback(),
            [(false, false), (true, false), (true, false)],
        ),
        (
            open,
            everywhere(),
            [(true, true), (true, false), (true, false)],
        ),
    ];
    for (options, listen, expected) in cases {
        let access = Access::new(&options, listen);
        let callers = [None, Some(Role::View), Some(Role::Act)].map(caller);
        for (at, (caller, (reads, acts))) in callers.iter().zip(expected).enumerate() {
            // Whoever has the role always may.
            let acts = acts || at == 2;
            let may = (access.may_read(caller), access.may_act(caller));
            assert_eq!(may, (reads, acts), "{options:?} {listen} {caller:?}");
        }
    }
}

#[test]
fn only_our_own_pages_change_something_in_a_browser() {
    let mut options = options();
    options.url = Some("https://board.example.com/".to_owned());
    let access = Access::new(&options, loopback());
    for (pairs, own) in [
        (&[][..], true),
        (&[("host", "h:1"), ("origin", "http://h:1")], true),
        (&[("host", "h:1"), ("origin", "http://h:2")], false),
        (&[("host", "h:1"), ("origin", "null")], false),
        (&[("origin", "http://h:1")], false),
        (
            &[("host", "h:1"), ("origin", "https://board.example.com")],
            true,
        ),
        (
            &[("host", "h:1"), ("origin", "https://evil.example.com")],
            false,
        ),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (
            &[
                ("sec-fetch-site", "same-origin"),
                ("host", "h"),
                ("origin", "http://h"),
            ],
            true,
        ),
    ] {
        assert_eq!(access.is_of_own_page(&headers(pairs)), own, "{pairs:?}");
    }
    for (host, ours) in [
        ("localhost:8080", true),
        ("127.0.0.1:8080", true),
        ("[::1]:8080", true),
        ("board.example.com", true),
        ("evil.example.com", false),
        ("localhost.evil.example.com", false),
        ("127.0.0.1.evil.example.com", false),
    ] {
        assert_eq!(
            access.is_meant_for_us(&headers(&[("host", host)])),
            ours,
            "{host}"
        );
    }
    assert!(!access.is_meant_for_us(&headers(&[])));
}

#[test]
fn a_forms_secret_is_bound_to_its_cookie() {
    let token = form_token(ANA);
    assert_eq!(token.len(), 32);
    assert!(is_form_token(Some(ANA), &token));
    assert!(!is_form_token(Some(VIC), &token));
    assert!(!is_form_token(None, &token));
    assert!(!is_form_token(Some(""), &form_token("")));
    assert!(!token.contains("ana"));
}

#[test]
fn every_mistake_says_what_to_write() {
    let told = |options: &AccessOptions, listen| -> Vec<String> {
        let mistakes = options.mistakes(listen).into_iter();
        mistakes
            .map(|mistake| format!("{:?}: {}", mistake.setting, mistake.message))
            .collect()
    };
    assert_eq!(told(&options(), everywhere()), [""; 0]);
    assert_eq!(told(&AccessOptions::default(), loopback()), [""; 0]);
    let alone = "Listen: 0.0.0.0:8080 can be reached from other machines, and nobody has a token: give people one in \
                 board.access.tokens, listen on 127.0.0.1, or say board.access.open = true if whoever reaches it may see and act";
    assert_eq!(told(&AccessOptions::default(), everywhere()), [alone]);
    for says_so in [
        AccessOptions {
            open: true,
            ..AccessOptions::default()
        },
        AccessOptions {
            free_reading: Some(true),
            ..AccessOptions::default()
        },
    ] {
        assert_eq!(told(&says_so, everywhere()), [""; 0]);
    }
    let mut wrong = options();
    wrong.url = Some("board.example.com".to_owned());
    wrong.tokens[0].name = " ".to_owned();
    wrong.tokens[1].token = "short".to_owned();
    let grant = |token: &str| TokenGrant {
        name: "eve".to_owned(),
        role: Role::View,
        token: token.to_owned(),
    };
    wrong.tokens.push(grant(ANA));
    wrong.tokens.push(grant("has a blank; 0123456789"));
    let wrong = wrong.with_link_key("short");
    assert_eq!(
        told(&wrong, loopback()),
        [
            "Tokens: token 1 has no name; name it: the name stands beside what is done with it",
            "Tokens: the token of \"vic\" can be guessed: it has fewer than 16 characters; make one with `openssl rand -hex 32`",
            "Tokens: \" \" and \"eve\" have one token; give each its own",
            "Tokens: the token of \"eve\" has characters that no header and cookie can hold; use letters, digits and -._~+/=, as \
             `openssl rand -hex 32` writes them",
            "LinkSecret: the secret of links can be guessed: it has fewer than 16 characters; make one with `openssl rand -hex 32`",
            "Url: this is no address of a web site; write it like \"https://slawatch.example.com\"",
        ]
    );
    let shown = format!("{wrong:?} {:?}", Access::new(&wrong, loopback()));
    for secret in [ANA, "short", "has a blank"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
