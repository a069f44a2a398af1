//! What an answer means for the states that a request told.

use super::{MAX_RETRY_AFTER_MS, Queue, Shape, UnderWay, Waiting};
use crate::delivery::{Answer, DeliveryEnd, is_over, state_word};

impl Queue {
    /// The answer to a request.
    pub fn finish(&mut self, number: u64, answer: Answer, now_ms: i64) {
        let Some(request) = self.under_way.remove(&number) else {
            return;
        };
        for entry in &request.told {
            self.busy.remove(&entry.delivery.address);
        }
        match answer {
            Answer::Taken { detail } => {
                self.is_well();
                self.finish_taken(request, &detail, now_ms);
            }
            Answer::Refused { detail } => {
                self.is_well();
                self.finish_refused(request, &detail);
            }
            Answer::Trouble {
                retry_after_ms,
                maybe_delivered,
                detail: _,
            } => {
                self.finish_trouble(request, retry_after_ms, maybe_delivered, now_ms);
            }
        }
    }

    fn is_well(&mut self) {
        self.failures = 0;
        self.gate_ms = i64::MIN;
    }

    fn finish_taken(&mut self, request: UnderWay, detail: &str, now_ms: i64) {
        for entry in request.told {
            self.report(&entry, DeliveryEnd::Sent, detail.to_owned());
            if let Some(newer) = self.waiting.get_mut(&entry.delivery.address) {
                newer.delivery.may_be_open = true;
            }
            if let Shape::Repeated { interval_ms } = self.shape {
                let ended = is_over(entry.delivery.intent.state).then_some(request.at_ms);
                self.keep(entry.delivery, ended, now_ms + interval_ms);
            }
        }
    }

    fn finish_refused(&mut self, request: UnderWay, detail: &str) {
        if request.told.len() + request.repeated.len() > 1 {
            for mut entry in request.told {
                entry.attempts -= 1;
                entry.alone = true;
                self.put_back(entry);
            }
            return;
        }
        for entry in request.told {
            self.report(&entry, DeliveryEnd::Rejected, detail.to_owned());
            let address = &entry.delivery.address;
            let nothing_open = !entry.delivery.may_be_open && !is_over(entry.delivery.intent.state);
            if nothing_open
                && self
                    .waiting
                    .get(address)
                    .is_some_and(|newer| is_over(newer.delivery.intent.state))
                && let Some(end) = self.waiting.remove(address)
            {
                self.suppress(&end, "what it would end was refused".to_owned());
            }
        }
    }

    fn finish_trouble(
        &mut self,
        request: UnderWay,
        retry_after_ms: Option<i64>,
        maybe_delivered: bool,
        now_ms: i64,
    ) {
        self.failures = self.failures.saturating_add(1);
        let asked_ms = retry_after_ms.unwrap_or(0).clamp(0, MAX_RETRY_AFTER_MS);
        self.gate_ms = now_ms + self.backoff.pause_ms(self.failures).max(asked_ms);
        for mut entry in request.told {
            entry.delivery.may_be_open |= maybe_delivered && !is_over(entry.delivery.intent.state);
            entry.not_before_ms = now_ms + self.backoff.pause_ms(entry.attempts).max(asked_ms);
            self.put_back(entry);
        }
        // A repetition that did not arrive is made up for as soon as the receiver is back.
        for address in request.repeated {
            if let Some(standing) = self.standing.get_mut(&address) {
                standing.repeat_at_ms = now_ms;
            }
        }
    }

    /// Back into the queue, unless a newer state came meanwhile or its ledger is gone.
    fn put_back(&mut self, entry: Waiting) {
        match self.waiting.get_mut(&entry.delivery.address) {
            Some(newer) => {
                newer.delivery.may_be_open |= entry.delivery.may_be_open;
                let told = (
                    state_word(newer.delivery.intent.state),
                    newer.delivery.intent.revision,
                );
                let end_of_nothing =
                    is_over(newer.delivery.intent.state) && !newer.delivery.may_be_open;
                self.suppress(
                    &entry,
                    format!("superseded: {} at revision {}", told.0, told.1),
                );
                if end_of_nothing && let Some(end) = self.waiting.remove(&entry.delivery.address) {
                    self.suppress(&end, "it was over before it was sent".to_owned());
                }
            }
            None => {
                self.waiting.insert(entry.delivery.address.clone(), entry);
            }
        }
    }
}
