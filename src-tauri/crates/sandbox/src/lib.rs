//! A local Bookiji and Google that behave as the real ones do, faults included.
