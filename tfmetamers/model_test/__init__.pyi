from .test import ModelTest as ModelTest
from .test import run_model_test as run_model_test
