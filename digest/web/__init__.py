"""The desk: server-rendered pages for the coordinator, and for members who read."""
