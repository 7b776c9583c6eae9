"""What the images are made of: the page of licences, a bill of materials, and a look for known weaknesses."""
