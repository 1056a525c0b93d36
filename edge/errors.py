"""All errors raised on purpose. Each is also a built-in error; its text is one line: what, where, what to do."""


class EdgeError(Exception):
    """Something went wrong that a person can fix; ``str()`` is the line to show them."""


class ImageError(EdgeError, ValueError):
    """An image cannot be read: it is missing, empty, truncated or not an image."""


class ModelError(EdgeError, ValueError):
    """A model file cannot be used: it is missing, damaged or not an image classifier."""


class SettingsError(EdgeError, ValueError):
    """A setting is unknown, misspelt or outside its limits."""


class SourceError(EdgeError, OSError):
    """A source cannot be opened, or gave no frame before its deadline."""


class WedgedError(SourceError):
    """A camera's driver hangs in a call: only a new process can open the camera again."""


class PublishError(EdgeError, OSError):
    """A publisher cannot be opened, or cannot deliver."""


class BusyError(PublishError):
    """The receiver asks to wait before the next attempt."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds
        """How long to wait."""


class LoginError(PublishError):
    """The receiver refuses the user, the password, or everybody without a user."""


class StateError(EdgeError, OSError):
    """The state folder, or a file in it, cannot be read or written."""


class NoReaderError(PublishError):
    """The reader of stdout has closed it, so nothing more is to be written."""


class DataError(EdgeError, ValueError):
    """Training or evaluation data are missing or wrong."""


class ConvertError(EdgeError, ValueError):
    """A Keras file cannot be loaded, or cannot be converted within the allowed loss of accuracy."""
