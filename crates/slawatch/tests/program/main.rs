//! The program as a process: what it computes from the sample data, and what it says when it cannot.

mod check;
mod mappings;
mod replay;
mod run;
mod samples;
