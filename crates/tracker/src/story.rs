//! Whole tickets as stories: what happened, and what SEMANTICS says of it. The cases of its section 7 stand in
//! [`calendars`], [`clocks`] and [`running`]; corners that its text settles elsewhere in [`corners`] and [`contacts`].
//!
//! Every story is told a second time with its events in reverse order and each of them twice, and must end the same.

mod calendars;
mod clocks;
mod contacts;
mod corners;
mod corrections;
mod describe;
mod evidence;
mod forgetting;
mod reopening;
mod running;
mod teller;
mod when;

pub(crate) use describe::{Panes, merge_pane};
use teller::ticket;
