"""recordings end in the bucket too, films are signed, the shelf is read in the order of time

Revision: 0009
Follows: 0008
"""

import sqlalchemy as sa
from alembic import op


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.create_index('ix_recording_started', ['started_at', 'id'], unique=False)

    with op.batch_alter_table('recording_destruction', schema=None) as batch_op:
        batch_op.add_column(sa.Column('removal', sa.Text(), nullable=True))

    with op.batch_alter_table('recording_export', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proof', sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('recording_export', schema=None) as batch_op:
        batch_op.drop_column('proof')

    with op.batch_alter_table('recording_destruction', schema=None) as batch_op:
        batch_op.drop_column('removal')

    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.drop_index('ix_recording_started')
