"""Statistics on arrays: items, groups, knowledge points, practice selection."""
