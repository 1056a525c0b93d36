"""A stand-in of picamera2 and libcamera: real sensors' modes and controls, a lens, an exposure, pages to look at.

Time in it is simulated: a frame takes no longer than to draw it.
"""
