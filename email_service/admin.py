"""Where Django looks for admin pages: re-exports only."""
