"""The files of the three scripts that Sunherd replaces, made into one farm file."""
