"""Every error raised on purpose. Each is also a built-in, and its text is one line: what, where, what to do."""


class EdgeError(Exception):
    """Something went wrong that a person can mend; ``str()`` is the one line to show them."""


class ImageError(EdgeError, ValueError):
    """An image cannot be read: missing, empty, truncated, or no image at all."""


class ModelError(EdgeError, ValueError):
    """A model file cannot be used: missing, damaged, or not a classifier of images."""


class SettingsError(EdgeError, ValueError):
    """A setting is unknown, misspelt or out of its range."""


class SourceError(EdgeError, OSError):
    """A source of frames cannot be opened, or gave no frame before its deadline."""


class WedgedError(SourceError):
    """A camera's driver does not come back from a call: only a new process can have the camera again."""


class PublishError(EdgeError, OSError):
    """A publisher cannot be opened, or cannot deliver."""


class BusyError(PublishError):
    """The far side asks to be left alone for a while."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds
        """So long."""


class StateError(EdgeError, OSError):
    """The state folder, or what is kept in it, cannot be read or written."""


class NoReaderError(PublishError):
    """Who read stdout has closed it: nothing more is wanted."""


class DataError(EdgeError, ValueError):
    """Training or evaluation data are missing or are not what they should be."""


class ConvertError(EdgeError, ValueError):
    """A Keras file cannot be loaded, or cannot be converted within the allowed loss of accuracy."""
