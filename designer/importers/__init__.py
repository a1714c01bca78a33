"""Reading designs from what others write: their operations and arguments, as layers."""
