"""The command `sunherd`: one module for each group of commands, over a farm file and a line to the farm's broker."""
