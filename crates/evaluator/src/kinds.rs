//! The kinds of rules about groups, one file each: how a group stands, what that rests on, and the words for it.

pub(crate) mod burn;
pub(crate) mod change;
pub(crate) mod contract;
pub(crate) mod oldest;
pub(crate) mod projection;
pub(crate) mod quiet;
pub(crate) mod threshold;
