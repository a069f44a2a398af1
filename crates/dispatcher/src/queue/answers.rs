//! What an answer means for the states that a request told.

use super::{MAX_BATCH, MAX_RETRY_AFTER_MS, Queue, REFUSED_AGAIN_MS, Shape, UnderWay, Waiting};
use crate::delivery::{Address, Answer, DeliveryEnd, is_over, state_word};

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
            Answer::Taken { detail, reference } => {
                self.is_well();
                self.finish_taken(request, &detail, &reference, now_ms);
            }
            Answer::Refused { detail } => {
                self.is_well();
                self.finish_refused(request, &detail, now_ms);
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

    fn finish_taken(&mut self, request: UnderWay, detail: &str, reference: &str, now_ms: i64) {
        if request.told.len() + request.repeated.len() >= self.batch_limit {
            self.batch_limit = (self.batch_limit * 2).min(MAX_BATCH);
        }
        for entry in request.told {
            let (sent, called) = (DeliveryEnd::Sent, reference.to_owned());
            self.report_as(&entry, sent, detail.to_owned(), called);
            if let Some(newer) = self.waiting.get_mut(&entry.delivery.address) {
                newer.delivery.may_be_open = true;
                newer.delivery.is_called(reference);
            }
            if let Shape::Repeated { interval_ms } = self.shape {
                let ended = is_over(entry.delivery.intent.state).then_some(request.at_ms);
                self.keep(entry.delivery, ended, now_ms + interval_ms);
            }
        }
    }

    fn finish_refused(&mut self, request: UnderWay, detail: &str, now_ms: i64) {
        let size = request.told.len() + request.repeated.len();
        if size > 1 {
            self.batch_limit = (size / 2).max(1);
            for mut entry in request.told {
                entry.attempts -= 1;
                entry.company = None;
                self.put_back(entry);
            }
            self.make_up_for(request.repeated, now_ms);
            return;
        }
        self.batch_limit = (self.batch_limit * 2).min(MAX_BATCH);
        for entry in request.told {
            self.refuse(entry, detail, now_ms);
        }
        for address in request.repeated {
            let Some(standing) = self.standing.remove(&address) else {
                continue;
            };
            // An end was told once; that it cannot be repeated keeps nothing from anybody.
            if standing.ended_at_ms.is_none() {
                let mut entry = self.entry(standing.delivery, now_ms);
                entry.attempts = 1;
                entry.delivery.may_be_open = true;
                self.refuse(entry, detail, now_ms);
            }
        }
    }

    /// It was refused by itself: that is recorded once. Only to a receiver that is told again and again is it offered
    /// again.
    fn refuse(&mut self, mut entry: Waiting, detail: &str, now_ms: i64) {
        if !entry.refused {
            self.report(&entry, DeliveryEnd::Rejected, detail.to_owned());
        }
        let address = &entry.delivery.address;
        let firing = !is_over(entry.delivery.intent.state);
        if let Some(newer) = self.waiting.get(address) {
            let ends_nothing =
                firing && !entry.delivery.may_be_open && is_over(newer.delivery.intent.state);
            if ends_nothing && let Some(end) = self.waiting.remove(address) {
                self.suppress(&end, "what it would end was refused".to_owned());
            }
            return;
        }
        if firing && matches!(self.shape, Shape::Repeated { .. }) {
            entry.refused = true;
            entry.not_before_ms = now_ms + REFUSED_AGAIN_MS;
            self.waiting.insert(entry.delivery.address.clone(), entry);
        }
    }

    /// A repetition that did not arrive is due at once.
    fn make_up_for(&mut self, repeated: Vec<Address>, now_ms: i64) {
        for address in repeated {
            if let Some(standing) = self.standing.get_mut(&address) {
                standing.repeat_at_ms = now_ms;
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
        let together_ms = (request.told.len() > 1).then(|| self.backoff.pause_ms(self.failures));
        for mut entry in request.told {
            entry.delivery.may_be_open |= maybe_delivered && !is_over(entry.delivery.intent.state);
            let pause_ms = if entry.refused {
                REFUSED_AGAIN_MS
            } else {
                let own_ms = || self.backoff.pause_ms(entry.attempts);
                together_ms.unwrap_or_else(own_ms).max(asked_ms)
            };
            entry.not_before_ms = now_ms + pause_ms;
            self.put_back(entry);
        }
        self.make_up_for(request.repeated, now_ms);
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
                self.supersede(
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
