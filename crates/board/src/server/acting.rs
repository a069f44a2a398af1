//! What API, forms and links have in common: may it be done, is it right, is it written.

use std::sync::Arc;

use axum::http::HeaderMap;
use slawatch_wire::v1::Action;

use super::App;
use super::refusal::Refusal;
use crate::access::{Caller, Limit, is_form_token};
use crate::act::{Acknowledge, Change, EndSilence, Mistakes, Receipt, Silence, Who};
use crate::alerts::Alert;
use crate::feed::Snapshot;
use crate::silences::SilenceState;

/// Something that can be asked for.
pub(crate) trait Ask {
    fn action_id(&self) -> Option<&str>;
    fn author(&self) -> Option<&str>;
    fn action(&self, who: Who) -> Result<Action, Mistakes>;
    /// Fills in what the picture knows; refuses what it knows to be over.
    fn complete(&mut self, snapshot: &Snapshot) -> Result<(), Refusal>;
}

macro_rules! ask {
    ($($type:ident $complete:expr),+ $(,)?) => {$(
        impl Ask for $type {
            fn action_id(&self) -> Option<&str> {
                self.action_id.as_deref()
            }

            fn author(&self) -> Option<&str> {
                self.author.as_deref()
            }

            fn action(&self, who: Who) -> Result<Action, Mistakes> {
                Self::action(self, who)
            }

            fn complete(&mut self, snapshot: &Snapshot) -> Result<(), Refusal> {
                let complete: fn(&mut Self, &Snapshot) -> Result<(), Refusal> = $complete;
                complete(self, snapshot)
            }
        }
    )+};
}

ask! {
    Acknowledge complete_acknowledge,
    Silence |_, _| Ok(()),
    EndSilence complete_end,
    Change |_, _| Ok(()),
}

/// The alert that fires under a key.
pub(crate) fn firing<'a>(snapshot: &'a Snapshot, key: &str) -> Option<&'a Alert> {
    let alerts = &snapshot.view.alerts;
    alerts.firing.iter().find(|alert| alert.key == key)
}

/// As long as the last days are being read, what is not known may well fire.
fn complete_acknowledge(asked: &mut Acknowledge, snapshot: &Snapshot) -> Result<(), Refusal> {
    let key = asked.key.trim();
    if key.is_empty() {
        return Ok(());
    }
    match firing(snapshot, key) {
        None if !snapshot.caught_up => Ok(()),
        None => Err(Refusal::Over(format!(
            "no alert fires under the key {key:?}: it is over, or was never there; /api/v1/alerts has those that fire"
        ))),
        Some(alert) if !asked.incident.is_empty() && asked.incident != alert.incident => {
            Err(Refusal::Over(format!(
                "the incident {:?} is over; under that key {:?} fires now, see /api/v1/alerts",
                asked.incident, alert.incident
            )))
        }
        Some(alert) => {
            asked.vendor.clone_from(&alert.vendor);
            asked.incident.clone_from(&alert.incident);
            Ok(())
        }
    }
}

fn complete_end(asked: &mut EndSilence, snapshot: &Snapshot) -> Result<(), Refusal> {
    let id = asked.silence_id.trim();
    let known = snapshot.view.silences.iter().find(|known| known.id == id);
    match known {
        None if !snapshot.caught_up => Ok(()),
        None => Err(Refusal::Unknown(format!(
            "there is no silence {id:?}; /api/v1/silences has those that there are"
        ))),
        Some(known) if known.state == SilenceState::Ended => {
            Err(Refusal::Over(format!("the silence {id:?} is over already")))
        }
        Some(known) => {
            asked.vendor.clone_from(&known.vendor);
            Ok(())
        }
    }
}

/// Who asks from where.
#[derive(Clone, Debug)]
pub(crate) struct Client(pub(crate) String);

/// What proves that a browser's user means it.
pub(crate) enum Proof<'a> {
    /// A form's secret.
    Form(&'a str),
    /// A header with it, or none where no cookie names the user.
    Header(Option<&'a str>),
}

impl App {
    /// Whether a request may change something.
    pub(crate) fn permit(
        &self,
        caller: &Caller,
        client: &Client,
        headers: &HeaderMap,
        proof: &Proof<'_>,
    ) -> Result<(), Refusal> {
        let steady_ms = self.clock.steady_ms();
        let mut rates = vec![(Limit::Act, client.0.as_str())];
        if let Some(user) = &caller.user {
            rates.push((Limit::UserAct, user.name.as_str()));
        }
        for (limit, who) in rates {
            self.limits
                .take(limit, who, steady_ms)
                .map_err(Refusal::TooMany)?;
        }
        if !self.access.may_act(caller) {
            return Err(match &caller.user {
                Some(user) => Refusal::MayNotAct(user.name.clone()),
                None if self.access.has_tokens() => Refusal::NoToken,
                None => Refusal::NobodyMay,
            });
        }
        if !self.access.is_of_own_page(headers) {
            return Err(Refusal::Foreign);
        }
        if caller.user.is_none() && !self.access.is_meant_for_us(headers) {
            return Err(Refusal::Foreign);
        }
        let is_meant = match proof {
            Proof::Form(secret) => is_form_token(caller.cookie.as_deref(), secret),
            Proof::Header(secret) => match &caller.user {
                Some(user) if user.by_cookie => {
                    is_form_token(caller.cookie.as_deref(), secret.unwrap_or_default())
                }
                Some(_) | None => true,
            },
        };
        if is_meant {
            Ok(())
        } else {
            Err(Refusal::OldForm)
        }
    }

    /// Does it: checked, written down, acknowledged by the log.
    pub(crate) async fn act<A: Ask>(
        self: &Arc<Self>,
        caller: &Caller,
        mut asked: A,
        key: Option<&str>,
    ) -> Result<(Action, Receipt), Refusal> {
        let author = match (&caller.user, asked.author()) {
            (Some(user), None) => user.name.clone(),
            (Some(user), Some(author)) if author == user.name => user.name.clone(),
            (Some(_), Some(_)) => {
                let mut mistakes = Mistakes::default();
                mistakes.add("author", "the token says who it is; leave this field out");
                return Err(mistakes.into());
            }
            (None, author) => author.unwrap_or_default().to_owned(),
        };
        let action_id = match asked.action_id().or(key) {
            Some(id) => id.to_owned(),
            None => self.new_id()?,
        };
        let snapshot = self.newest.get();
        let at_ms = self.clock.wall_ms();
        let who = Who {
            author,
            action_id,
            at_ms,
        };
        // What was done already and is repeated shall not be called over.
        let over = asked.complete(&snapshot);
        let action = asked.action(who)?;
        if let Some(known) = self.writer.repeated(&action)? {
            return Ok((known, Receipt::Known));
        }
        over?;
        let receipt = self.writer.write(action.clone()).await?;
        Ok((action, receipt))
    }

    pub(crate) fn new_id(&self) -> Result<String, Refusal> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| Refusal::NoChance)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
