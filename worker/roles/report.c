#include "roles/report.h"
