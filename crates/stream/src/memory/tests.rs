//! What only the memory log can do; a conformance suite shared with the broker is still to be written.
