from .audio_operations import AudioOperations as AudioOperations
from .audio_operations import AudioOperationsMfcc as AudioOperationsMfcc
from .log_mel import LogMel as LogMel
from .log_mel import mel_bands as mel_bands
from .mfcc import Mfcc as Mfcc
from .mfcc import mel_filters as mel_filters
