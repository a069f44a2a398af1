//! The agents of one owner who take contacts: finitely many, so that waits grow when there are too few of them.

use std::collections::VecDeque;

use super::chance::exp;

/// Who waits, and the step of its life at which it began to: a contact that moved on in the meantime waits no more.
pub(super) type Waiting = (u32, u16);

#[derive(Debug, Default)]
pub(super) struct Pool {
    staff: u16,
    busy: Vec<bool>,
    free: Vec<u16>,
    waiting: VecDeque<Waiting>,
}

impl Pool {
    /// Changes the number of agents on shift. Those in a contact finish it first.
    pub(super) fn set_staff(&mut self, staff: u16) {
        if self.busy.len() < usize::from(staff) {
            self.busy.resize(usize::from(staff), false);
        }
        self.free.retain(|agent| *agent < staff);
        for agent in self.staff..staff {
            if !self.busy[usize::from(agent)] {
                self.free.push(agent);
            }
        }
        self.staff = staff;
    }

    /// A free agent, who is busy from now on.
    pub(super) fn take_agent(&mut self) -> Option<u16> {
        let agent = self.free.pop()?;
        self.busy[usize::from(agent)] = true;
        Some(agent)
    }

    /// The agent is done; who is off shift by now goes home.
    pub(super) fn release(&mut self, agent: u16) {
        self.busy[usize::from(agent)] = false;
        if agent < self.staff {
            self.free.push(agent);
        }
    }

    pub(super) fn wait(&mut self, who: Waiting) {
        self.waiting.push_back(who);
    }

    /// Who has waited longest, if anybody is free to help.
    pub(super) fn next_waiting(&mut self) -> Option<Waiting> {
        if self.free.is_empty() {
            return None;
        }
        self.waiting.pop_front()
    }
}

/// The fewest agents with which this share of contacts waits at most `within`, by Erlang's C formula. `load` is arrivals per
/// unit of time times the mean handling time.
pub(super) fn agents_needed(load: f64, handling: f64, within: f64, share: f64) -> u16 {
    let mut blocked = 1.0;
    let mut agents: u16 = 0;
    loop {
        agents = agents.saturating_add(1);
        let count = f64::from(agents);
        blocked = load * blocked / (count + load * blocked);
        if count <= load && agents < u16::MAX {
            continue;
        }
        let waits = blocked / (1.0 - load / count * (1.0 - blocked));
        let in_time = 1.0 - waits * exp(-(count - load) * within / handling);
        if in_time >= share || agents == u16::MAX {
            return agents;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staffing_follows_erlang() {
        // 100 calls in half an hour of 180 s: 10 erlangs; 14 agents answer 88.8 % within 20 s, 13 only 79.7 %.
        assert_eq!(agents_needed(10.0, 180.0, 20.0, 0.8), 14);
        assert_eq!(agents_needed(10.0, 180.0, 20.0, 0.79), 13);
        assert_eq!(agents_needed(0.0, 180.0, 20.0, 0.99), 1);
    }

    #[test]
    fn agents_who_went_off_shift_finish_and_leave() {
        let mut pool = Pool::default();
        pool.set_staff(2);
        let (first, second) = (
            pool.take_agent().expect("free"),
            pool.take_agent().expect("free"),
        );
        assert_eq!(pool.take_agent(), None);
        pool.wait((7, 0));
        assert_eq!(pool.next_waiting(), None, "nobody is free");
        pool.set_staff(0);
        pool.release(first);
        assert_eq!(pool.take_agent(), None, "went home");
        pool.set_staff(2);
        assert_eq!(pool.take_agent(), Some(first), "the other is still busy");
        pool.release(second);
        assert_eq!(pool.next_waiting(), Some((7, 0)));
    }
}
