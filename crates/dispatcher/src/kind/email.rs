//! E-mail by SMTP: one message for everything that is told at once, in plain text and in HTML.
//!
//! Its Message-ID depends on nothing but what is told, so that a mail server may drop what is sent again after a crash; later
//! states refer to the first one, so that an incident is one thread.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use sha2::{Digest, Sha256};

use super::webhook::{hex, idempotency_key};
use crate::config::{EmailConfig, EmailTls, ReceiverConfig};
use crate::delivery::Answer;
use crate::error::DispatcherError;
use crate::http;
use crate::links::Links;
use crate::message::{Telling, Templates};
use crate::queue::Item;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// See the module.
pub(crate) struct Email {
    transport: Transport,
    host: String,
    timeout: Duration,
    from: Mailbox,
    to: Vec<Mailbox>,
    templates: Templates,
    links: Arc<Links>,
}

impl Email {
    pub(super) fn new(
        config: &ReceiverConfig,
        links: &Arc<Links>,
    ) -> Result<Self, DispatcherError> {
        config.check()?;
        let Some(email) = &config.email else {
            return Err(unusable(config, "email", "it is missing"));
        };
        let (from, to) = mailboxes(config, email)?;
        Ok(Self {
            transport: transport(config, email)?,
            host: email.host.clone(),
            timeout: config.timeout,
            from,
            to,
            templates: Templates::new(config)?,
            links: Arc::clone(links),
        })
    }

    pub(super) fn host(&self) -> Option<&str> {
        Some(&self.host)
    }

    pub(super) async fn send(&self, items: &[Item], now_ms: i64) -> Answer {
        let id = self.message_id(items);
        let message = match self.message(items, &id, now_ms) {
            Ok(message) => message,
            Err(error) => {
                return Answer::Refused {
                    detail: format!("the alert makes no message: {error}"),
                };
            }
        };
        let thread = references(items).into_iter().next();
        let reference = thread.unwrap_or(&id).to_owned();
        let sent = tokio::time::timeout(self.timeout, self.hand_over(&message)).await;
        match sent {
            Ok(Ok(detail)) => Answer::Taken { detail, reference },
            Ok(Err(error)) => judge(&error),
            Err(_) => Answer::Trouble {
                detail: "no answer in time".to_owned(),
                retry_after_ms: None,
                maybe_delivered: true,
            },
        }
    }

    /// To all at once; where the server refuses that, to each alone, since one address that is wrong must not keep it from
    /// the others.
    async fn hand_over(&self, message: &Message) -> Result<String, lettre::transport::smtp::Error> {
        let bytes = message.formatted();
        let refused = match self.transport.send_raw(message.envelope(), &bytes).await {
            Ok(response) => return Ok(said(&response)),
            Err(error) if !is_about_the_message(&error) || self.to.len() == 1 => return Err(error),
            Err(error) => error,
        };
        let mut taken = None;
        let mut refusals = Vec::new();
        for recipient in &self.to {
            let from = Some(self.from.email.clone());
            // A recipient is there, so it is an envelope.
            let Ok(envelope) = Envelope::new(from, vec![recipient.email.clone()]) else {
                continue;
            };
            match self.transport.send_raw(&envelope, &bytes).await {
                Ok(response) => taken = Some(said(&response)),
                Err(error) if is_about_the_message(&error) => {
                    refusals.push(format!("{}: {error}", recipient.email));
                }
                Err(error) => return Err(error),
            }
        }
        let Some(taken) = taken else {
            return Err(refused);
        };
        let refusals = refusals.join("; ");
        tracing::error!(
            refusals,
            "a mail server refused some of a receiver's recipients; check email.to"
        );
        Ok(format!("{taken}; but not for {refusals}"))
    }

    fn message(
        &self,
        items: &[Item],
        id: &str,
        now_ms: i64,
    ) -> Result<Message, lettre::error::Error> {
        let tellings: Vec<_> = items
            .iter()
            .map(|item| Telling::of(item, &self.links, now_ms))
            .collect();
        let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(now_ms).unwrap_or_default());
        let mut builder = Message::builder()
            .message_id(Some(id.to_owned()))
            .date(now)
            .from(self.from.clone())
            .subject(self.templates.title_of_all(&tellings));
        for recipient in &self.to {
            builder = builder.to(recipient.clone());
        }
        let thread = references(items);
        if let Some(first) = thread.first() {
            builder = builder
                .in_reply_to((*first).to_owned())
                .references(thread.join(" "));
        }
        // No out-of-office reply is wanted (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        builder = builder.raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        builder.multipart(MultiPart::alternative_plain_html(
            self.text(&tellings),
            self.html(&tellings),
        ))
    }

    fn text(&self, tellings: &[Telling<'_>]) -> String {
        let one = |telling: &Telling<'_>| {
            let (title, text) = (
                self.templates.title(*telling),
                self.templates.text(*telling),
            );
            format!("{title}\n\n{text}\n")
        };
        let all: Vec<_> = tellings.iter().map(one).collect();
        all.join("\n----------------------------------------\n\n")
    }

    fn html(&self, tellings: &[Telling<'_>]) -> String {
        let all: Vec<_> = tellings
            .iter()
            .map(|telling| self.templates.body(*telling))
            .collect();
        format!(
            "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body style=\"margin:16px\">\n{}\n</body></html>\n",
            all.join("\n<hr style=\"border:0;border-top:1px solid #d5dbe1;margin:20px 0\">\n")
        )
    }

    fn message_id(&self, items: &[Item]) -> String {
        let mut hash = Sha256::new();
        for item in items {
            let delivery = &item.delivery;
            hash.update(idempotency_key(&delivery.transition.key, &delivery.intent));
        }
        let domain = self.from.email.domain();
        format!("<slawatch.{}@{domain}>", hex(&hash.finalize()[..16]))
    }
}

/// The first messages of all these incidents, each once.
fn references(items: &[Item]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for item in items {
        let reference = item.delivery.reference.as_str();
        if !reference.is_empty() && !found.contains(&reference) {
            found.push(reference);
        }
    }
    found
}

fn said(response: &Response) -> String {
    let words: Vec<_> = response.message().collect();
    let text = format!("{} {}", response.code(), words.join(" "));
    http::shortened(text.trim(), 1024).to_owned()
}

/// Whether the server would say so again of the same message. What it says of logins is mended sooner or later.
fn is_about_the_message(error: &lettre::transport::smtp::Error) -> bool {
    let is_about_login = error
        .status()
        .is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    error.is_permanent() && !is_about_login
}

fn judge(error: &lettre::transport::smtp::Error) -> Answer {
    let detail = http::shortened(&error.to_string(), 1024).to_owned();
    if is_about_the_message(error) {
        return Answer::Refused { detail };
    }
    Answer::Trouble {
        detail,
        retry_after_ms: None,
        // Without an answer nobody knows; with one, the server took nothing.
        maybe_delivered: error.status().is_none(),
    }
}

fn unusable(
    config: &ReceiverConfig,
    field: &'static str,
    reason: impl Into<String>,
) -> DispatcherError {
    DispatcherError::Email {
        name: config.name.clone(),
        field,
        reason: reason.into(),
    }
}

/// Who writes, and to whom.
pub(crate) fn mailboxes(
    config: &ReceiverConfig,
    email: &EmailConfig,
) -> Result<(Mailbox, Vec<Mailbox>), DispatcherError> {
    let parse = |field, text: &str| {
        text.parse::<Mailbox>().map_err(|error| {
            let reason = format!(
                "{text:?} is no address ({error}); write it like \"operations@example.com\" or \"Operations \
                 <operations@example.com>\""
            );
            unusable(config, field, reason)
        })
    };
    let to: Result<Vec<_>, _> = email
        .to
        .iter()
        .map(|text| parse("email.to", text))
        .collect();
    Ok((parse("email.from", &email.from)?, to?))
}

fn transport(config: &ReceiverConfig, email: &EmailConfig) -> Result<Transport, DispatcherError> {
    http::install_crypto();
    let tls = match email.tls {
        EmailTls::None => Tls::None,
        EmailTls::Required | EmailTls::StartTls | EmailTls::Implicit => {
            let parameters = tls_parameters(config, email)?;
            if email.is_implicit() {
                Tls::Wrapper(parameters)
            } else {
                Tls::Required(parameters)
            }
        }
    };
    let mut builder = Transport::builder_dangerous(&email.host)
        .port(email.port())
        .timeout(Some(config.timeout))
        .tls(tls);
    if let (Some(user), Some(password)) = (&email.user, &email.password) {
        let user = user.resolve(&config.place(), "email.user")?;
        let password = password.resolve(&config.place(), "email.password")?;
        let credentials = Credentials::new(user.expose().into(), password.expose().into());
        builder = builder.credentials(credentials);
    }
    Ok(builder.build())
}

fn tls_parameters(
    config: &ReceiverConfig,
    email: &EmailConfig,
) -> Result<TlsParameters, DispatcherError> {
    let mut builder = TlsParameters::builder(email.host.clone());
    if let Some(path) = &email.ca_file {
        let trouble = |error: &dyn std::fmt::Display| {
            let reason = format!("{path}: {error}; name a file of certificates in PEM");
            unusable(config, "email.ca_file", reason)
        };
        let pem = std::fs::read(path).map_err(|error| trouble(&error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| trouble(&error))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder
        .build()
        .map_err(|error| unusable(config, "email.tls", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{Address, Delivery, LedgerId, Subject};
    use crate::message::sample;

    fn email(more: &str) -> Result<Email, DispatcherError> {
        let text = format!(
            "name = \"mail\"\ntype = \"email\"\n[email]\nhost = \"mail\"\nfrom = \"s@example.com\"\nto = [\"o@example.com\"]\n{more}"
        );
        Email::new(&toml::from_str(&text).unwrap(), &Arc::new(Links::default()))
    }

    fn items(references: [&str; 3]) -> Vec<Item> {
        let all = sample::all().into_iter().zip(references);
        all.map(|((alert, intent, _), reference)| Item {
            delivery: Delivery {
                address: Address {
                    ledger: LedgerId(1),
                    subject: Subject {
                        key: alert.key.clone(),
                        incident: alert.incident.clone(),
                    },
                },
                transition: Arc::new(alert),
                intent,
                may_be_open: false,
                reference: reference.to_owned(),
                group: None,
            },
            over_for_ms: 0,
            repeated: false,
            attempt: 1,
        })
        .collect()
    }

    #[test]
    fn several_incidents_are_one_message_that_continues_their_threads() {
        let email = email("").unwrap();
        let items = items(["<a@x>", "", "<a@x>"]);
        let id = email.message_id(&items);
        assert_eq!(id, email.message_id(&items), "the same whenever it is sent");
        assert_ne!(id, email.message_id(&items[..1]));
        let message = email.message(&items, &id, 0).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let text = text.replace("=\r\n", "").replace("\r\n ", " ");
        for part in [
            "25 of 40 contacts in target (and 2 more)",
            "In-Reply-To: <a@x>\r\n",
            "References: <a@x>\r\n",
            "----------------------------------------",
            "<hr",
            "Thu, 01 Jan 1970 00:00:00",
        ] {
            assert!(
                text.contains(part) || text.contains(&part.replace('=', "=3D")),
                "{part}: {text}"
            );
        }
        assert_eq!(
            text.matches("ACKNOWLEDGED").count(),
            2,
            "in text and in HTML: {text}"
        );
        let references = references(&items);
        assert_eq!(references, ["<a@x>"]);
    }

    #[test]
    fn every_mistake_says_what_to_write() {
        for (more, expected) in [
            (
                "user = \"u\"",
                "receiver \"mail\": type \"email\" needs email.password: both for a login, or neither",
            ),
            (
                "tls = \"none\"\nuser = \"u\"\npassword = \"hunter2\"",
                "receiver \"mail\": email.tls = \"none\" is out of range: a login would be sent in the open; write \"required\", or \
                 leave user and password out",
            ),
            (
                "ca_file = \"/nonexistent\"",
                "receiver \"mail\": email.ca_file is not usable: /nonexistent: No such file or directory (os error 2); name a file \
                 of certificates in PEM",
            ),
        ] {
            assert_eq!(email(more).err().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn ports_are_the_usual_ones() {
        for (more, port, implicit) in [
            ("", 587, false),
            ("port = 465", 465, true),
            ("port = 2525", 2525, false),
            ("tls = \"implicit\"", 465, true),
            ("tls = \"starttls\"\nport = 465", 465, false),
            ("tls = \"none\"", 25, false),
        ] {
            let text = format!("host = \"h\"\nfrom = \"f@h\"\nto = [\"t@h\"]\n{more}");
            let config: EmailConfig = toml::from_str(&text).unwrap();
            assert_eq!(
                (config.port(), config.is_implicit()),
                (port, implicit),
                "{more}"
            );
        }
    }
}
