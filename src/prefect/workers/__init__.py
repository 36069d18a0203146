"""Workers: processes that fetch a work pool's runs and have them carried out."""
