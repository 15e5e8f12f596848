"""Files: written atomically, locked, and read within limits; a file for each format."""

from .atomic import atomic_path, is_temporary, remove_leftovers
from .folders import make_folder, require_only
from .locks import file_lock
