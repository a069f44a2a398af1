//! What only the memory log can do; what it shares with the broker is in the conformance suite.
