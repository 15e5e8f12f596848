"""Every public function, method and constructor with every argument wrong in turn: tables, and what checks them."""
