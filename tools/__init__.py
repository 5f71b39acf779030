"""Scripts for people who work on inkmark; nothing here is installed."""
