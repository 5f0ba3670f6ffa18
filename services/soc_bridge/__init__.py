"""The state of charge and the powers of the site, from where the owner already has them onto the farm's topics."""
