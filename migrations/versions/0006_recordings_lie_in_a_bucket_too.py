"""recordings lie in a bucket too

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('recording_file',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('recording_id', sa.String(), nullable=False),
    sa.Column('file', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('object_key', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('upload', sa.String(), nullable=False),
    sa.Column('sent', sa.BigInteger(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('problem', sa.String(), nullable=True),
    sa.Column('due_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('stored_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('freed_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('locked_until', core.db.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['recording_id'], ['recording.id'], name=op.f('fk_recording_file_recording_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording_file')),
    sa.UniqueConstraint('recording_id', 'file', name=op.f('uq_recording_file_recording_id_file'))
    )
    with op.batch_alter_table('recording_file', schema=None) as batch_op:
        batch_op.create_index('ix_recording_file_state', ['state', 'stored_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('recording_file', schema=None) as batch_op:
        batch_op.drop_index('ix_recording_file_state')

    op.drop_table('recording_file')
