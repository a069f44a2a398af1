//! The program as a process: what it computes from the sample data, and what it says when it cannot.

mod act;
mod backtest;
mod check;
mod explain;
mod explain_cases;
mod explain_clickhouse;
mod explained;
mod mappings;
mod replay;
mod run;
mod samples;
mod test_alert;
