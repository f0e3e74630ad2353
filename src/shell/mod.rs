//! Everything that touches the world. The core decides, this does.
