"""What `sunherd status`, `explain` and `watch` show, from what has been heard: pure, without any I/O or clock."""
