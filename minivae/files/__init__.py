"""Files: written atomically, locked, and read within limits; a file for each format."""

from .atomic import atomic_path, remove_leftovers
from .folders import make_folder
from .locks import file_lock
