//! Google, Bookiji, sign-in, secrets and the one HTTP stack.
