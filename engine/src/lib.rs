//! What a workflow does.
