"""What locks the broker: who may write and read what (`access_list`), and its own certificates (`certificates`)."""
