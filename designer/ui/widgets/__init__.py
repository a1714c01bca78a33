"""Small controls that the panels are made of. They take their look from the theme in force."""
